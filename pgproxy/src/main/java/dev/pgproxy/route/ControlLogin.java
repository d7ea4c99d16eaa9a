package dev.pgproxy.route;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.Secret;
import dev.pgproxy.config.ServerTlsSettings;
import dev.pgproxy.health.probe.ControlTarget;
import dev.pgproxy.routing.Host;
import java.net.URI;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * As whom the hosts are watched and definitions read: control_user. Immutable.
 *
 * @param password empty for a user that needs none, or has a certificate
 */
public record ControlLogin(String user, Secret password) {
    /** Where and how to log in, over JDBC. */
    public ControlTarget target(
            Host host, HostAddress address, String database, ServerTlsSettings tls, @Nullable URI nodeExporter) {
        Map<String, String> properties = new HashMap<>();
        properties.put("sslmode", tls.sslMode().toString().toLowerCase(Locale.ROOT));
        if (tls.caFile() != null) {
            properties.put("sslrootcert", tls.caFile().toString());
        } else if (tls.sslMode().verifies()) {
            properties.put("sslfactory", "org.postgresql.ssl.DefaultJavaSSLFactory");
        }
        if (tls.certFile() != null && tls.keyFile() != null) {
            properties.put("sslcert", tls.certFile().toString());
            properties.put("sslkey", tls.keyFile().toString());
        }
        if (tls.keyPassword() != null) {
            properties.put("sslpassword", tls.keyPassword().reveal());
        }
        return new ControlTarget(
                host, address.host(), address.port(), database, user, password::reveal, properties, nodeExporter);
    }
}
