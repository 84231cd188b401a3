# The service as one static binary, as nobody, on nothing: the image holds the binary, certificates of authorities, and an
# empty /data for engines that run embedded. The root may be read-only.
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=dev
ARG COMMIT=
ARG BUILT=
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION} -X main.commit=${COMMIT} -X main.built=${BUILT}" -o /out/usr/local/bin/onmyway ./cmd/onmyway
RUN mkdir -p /out/data /out/etc/ssl/certs \
    && cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ \
    && echo 'nonroot:x:65532:65532:nonroot:/data:/sbin/nologin' > /out/etc/passwd \
    && echo 'nonroot:x:65532:' > /out/etc/group

FROM scratch
ARG VERSION=dev
ARG COMMIT=
ARG BUILT=
LABEL org.opencontainers.image.title="Onmyway" \
      org.opencontainers.image.description="Tells car buyers what happens to their car, the moment it happens" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}" \
      org.opencontainers.image.created="${BUILT}"
COPY --from=build /out/etc /etc
COPY --from=build /out/usr /usr
COPY --from=build --chown=65532:65532 /out/data /data
# SQLite sorts what does not fit into memory in a file; there is no /tmp here.
ENV ONMYWAY_EMBEDDED__DATA_DIR=/data ONMYWAY_OPS__ADDR=:9090 SQLITE_TMPDIR=/data
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8080 9090
# serve finishes what is in hand when it is told to stop, for 18 s at most: give it 30 (docker stop -t 30).
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/usr/local/bin/onmyway", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/onmyway"]
CMD ["serve"]
