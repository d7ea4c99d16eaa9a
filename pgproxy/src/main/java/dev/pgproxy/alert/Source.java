package dev.pgproxy.alert;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/** Who this is, for those who are told. Immutable; may ask for names, so never on an event loop. */
record Source(@Nullable String configured) {
    String name() {
        if (configured != null) {
            return configured;
        }
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "pgproxy";
        }
    }

    /** By what an alert is the same in every message, and another than that of another instance. */
    String key(Alert alert) {
        return name() + "/" + alert.id();
    }
}
