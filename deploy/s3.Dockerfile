# An S3 server for a house on one machine: versitygw over a folder, each object a
# file. `make images` compiles it into bin/image. The folder `loongclaw` is the
# bucket; the file system below the volume must have extended attributes, as ext4,
# xfs and btrfs do.
FROM scratch
COPY versitygw /versitygw
COPY --chown=65532:65532 empty /data
COPY --chown=65532:65532 empty /data/loongclaw
COPY --chown=65532:65532 empty /tmp
USER 65532:65532
VOLUME /data
EXPOSE 7070
STOPSIGNAL SIGTERM
ENTRYPOINT ["/versitygw", "--port", ":7070", "--quiet", "posix", "/data"]
