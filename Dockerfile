# The image of weir: a static binary on a base without shell or package manager,
# run by a user that is not root. Where no registry can be reached, see
# Dockerfile.scratch.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.release=$VERSION" -o /weir ./cmd/weir

FROM gcr.io/distroless/static:nonroot
COPY --from=build /weir /usr/local/bin/weir
USER 65532:65532
EXPOSE 9464
ENTRYPOINT ["/usr/local/bin/weir"]
CMD ["run", "-c", "/etc/weir/weir.yaml"]
