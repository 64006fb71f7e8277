# The gateway's image, as the agent's: `make images` compiles the program into
# bin/image, and this file only copies.
FROM scratch
COPY gateway /gateway
USER 65532:65532
ENV LISTEN_ADDR=0.0.0.0:8787 PATH=/
EXPOSE 8787
STOPSIGNAL SIGTERM
ENTRYPOINT ["/gateway"]
