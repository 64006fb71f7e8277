# One of the two programs, built from source, for platforms that build images
# themselves (deploy/platform/fly, deploy/platform/railway):
#
#   docker build -f deploy/source.Dockerfile --build-arg PROGRAM=gateway .
#
# deploy/agent.Dockerfile is the one for Cloudflare: it only copies.
FROM golang:1.26.8@sha256:0f063af2d465d8dcae54cce04278ada488b96f77b42449c8d071e47d016cc65a AS build
ARG PROGRAM
WORKDIR /src
COPY . .
RUN cd "$PROGRAM" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w" -o /out/program "./cmd/$PROGRAM" && mkdir /out/empty

# No shell, no other program.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/program /program
COPY --from=build --chown=65532:65532 /out/empty /work
COPY --from=build --chown=65532:65532 /out/empty /tmp
USER 65532:65532
WORKDIR /work
ENV WORKSPACE_DIR=/work PATH=/
STOPSIGNAL SIGTERM
ENTRYPOINT ["/program"]
