package dev.pgproxy.pgbouncer;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** OpenSSL's names of versions and suites, as Java calls them. */
final class TlsNames {
    private static final List<String> MODERN = List.of("TLSv1.2", "TLSv1.3");
    private static final List<String> OF_TLS_13 =
            List.of("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256");
    private static final Set<String> SHORTCUTS = Set.of("", "default", "secure", "fast", "normal");
    private static final Pattern SUITE =
            Pattern.compile("(ECDHE-ECDSA|ECDHE-RSA|DHE-RSA)-AES(128|256)-GCM-(SHA256|SHA384)");
    private static final Pattern CHACHA = Pattern.compile("(ECDHE-ECDSA|ECDHE-RSA|DHE-RSA)-CHACHA20-POLY1305");

    private TlsNames() {}

    /**
     * The versions; 1.0 and 1.1, which nobody should use any more, are left out.
     *
     * @throws IllegalArgumentException for what is no version, or where none is left
     */
    static List<String> protocols(String value) {
        Set<String> chosen = new LinkedHashSet<>();
        boolean any = false;
        for (String part : value.toLowerCase(Locale.ROOT).split("[,:]", -1)) {
            String name = part.strip();
            boolean not = name.startsWith("!");
            if (not && !any) {
                chosen.addAll(MODERN);
            }
            List<String> named = named(not ? name.substring(1) : name);
            if (not) {
                named.forEach(chosen::remove);
            } else {
                chosen.addAll(named);
            }
            any = true;
        }
        if (chosen.isEmpty()) {
            throw new IllegalArgumentException("only TLS 1.2 and 1.3 can be had");
        }
        return MODERN.stream().filter(chosen::contains).toList();
    }

    private static List<String> named(String name) {
        return switch (name) {
            case "all", "legacy", "default", "secure", "tlsv1" -> MODERN;
            case "tlsv1.0", "tlsv1.1" -> List.of();
            case "tlsv1.2" -> List.of("TLSv1.2");
            case "tlsv1.3" -> List.of("TLSv1.3");
            default -> throw new IllegalArgumentException("expects versions such as tlsv1.2,tlsv1.3, or secure");
        };
    }

    /**
     * The suites for all versions together, empty = Java's choice; null where a name is none of Java's.
     *
     * @param upTo12 those of TLS 1.2 and older, in OpenSSL's form
     * @param of13 those of TLS 1.3; null = all
     */
    static @Nullable List<String> suites(String upTo12, @Nullable String of13) {
        boolean isShortcut = SHORTCUTS.contains(upTo12.toLowerCase(Locale.ROOT));
        if (isShortcut && of13 == null) {
            return List.of();
        }
        if (isShortcut) {
            return null; // Java has one list for both
        }
        List<String> suites = new ArrayList<>(of13 == null ? OF_TLS_13 : List.of(of13.split("[:,]", -1)));
        if (!OF_TLS_13.containsAll(suites)) {
            return null;
        }
        for (String name : upTo12.split("[:, ]+", -1)) {
            String suite = suite(name);
            if (suite == null) {
                return null;
            }
            suites.add(suite);
        }
        return List.copyOf(suites);
    }

    private static @Nullable String suite(String name) {
        Matcher gcm = SUITE.matcher(name);
        if (gcm.matches()) {
            return "TLS_" + gcm.group(1).replace('-', '_') + "_WITH_AES_" + gcm.group(2) + "_GCM_" + gcm.group(3);
        }
        Matcher chacha = CHACHA.matcher(name);
        return chacha.matches() ? "TLS_" + chacha.group(1).replace('-', '_') + "_WITH_CHACHA20_POLY1305_SHA256" : null;
    }
}
