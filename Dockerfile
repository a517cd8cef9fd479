# For machines that MXNet 1.9.1 has no package for (Apple silicon, Windows):
#   docker build --platform linux/amd64 --tag chapter-adam . && docker run --platform linux/amd64 --rm chapter-adam
FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install --yes --no-install-recommends git libgomp1 libquadmath0 make
COPY . /chapter_adam
WORKDIR /chapter_adam
RUN make setup
CMD ["make", "run"]
