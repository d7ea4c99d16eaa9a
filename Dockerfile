# pgproxy as an image: docker build -t pgproxy . (docs/deploy.md). The first stage builds the archive, the second one unpacks it.
FROM maven:3.9-eclipse-temurin-25 AS build
WORKDIR /src
COPY . .
RUN mvn -B -q --no-transfer-progress -DskipTests -Dspotless.check.skip -Dcheckstyle.skip -Dforbiddenapis.skip package
RUN mkdir image \
    && find pgproxy/target -maxdepth 1 -name 'pgproxy-*.tar.gz' ! -name '*-demo.tar.gz' \
        -exec tar -xzf {} --strip-components=1 -C image \; \
    && install -m 0755 conf/compose/alive.sh image/bin/alive

FROM eclipse-temurin:25-jre-noble
COPY --from=build /src/image /opt/pgproxy
# Keeps what this Java needs for a fast start.
RUN /opt/pgproxy/bin/pgproxy prepare
# Nobody's number: whoever mounts files lets it read them. There is nothing in the image that it may write.
USER 10001:10001
EXPOSE 6432 9127
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s --retries=3 CMD ["/opt/pgproxy/bin/alive"]
ENTRYPOINT ["/opt/pgproxy/bin/pgproxy"]
CMD ["run", "-c", "/etc/pgproxy/pgproxy.conf"]
