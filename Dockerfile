# The service as one static binary, as nobody, on nothing. Give it a volume at /data when engines run embedded.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/onmyway ./cmd/onmyway \
    && mkdir -p /out/data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/onmyway /usr/local/bin/onmyway
COPY --from=build --chown=nonroot:nonroot /out/data /data
ENV ONMYWAY_EMBEDDED__DATA_DIR=/data ONMYWAY_OPS__ADDR=:9090
VOLUME /data
EXPOSE 8080 9090
ENTRYPOINT ["onmyway"]
CMD ["serve"]
