# The agent's image. `make image` compiles the program into bin/image, and this
# file only copies: it builds without a network, and runs no command.
#
# In the image: the program, and two empty folders that it may write to. No
# shell, no other program, no secret. CA certificates are in the program itself.
FROM scratch
COPY agent /agent
COPY --chown=65532:65532 empty /work
COPY --chown=65532:65532 empty /tmp
USER 65532:65532
WORKDIR /work
# Without STORE the agent keeps all in /work/data, as docs/CONFIGURATION.md says.
ENV AGENT_LISTEN_ADDR=0.0.0.0:8788 WORKSPACE_DIR=/work PATH=/
EXPOSE 8788
STOPSIGNAL SIGTERM
ENTRYPOINT ["/agent"]
