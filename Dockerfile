# For machines that MXNet 1.9.1 has no package for (Apple silicon, Windows). Tests: append `make test`.
#   docker build --platform linux/amd64 --tag chapter-adam . && docker run --platform linux/amd64 --rm chapter-adam
FROM debian:bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends git make python3
COPY . /chapter_adam
WORKDIR /chapter_adam
RUN make setup
CMD ["make", "run"]
