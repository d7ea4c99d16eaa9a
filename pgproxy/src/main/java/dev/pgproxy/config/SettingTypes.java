package dev.pgproxy.config;

import dev.pgproxy.config.SettingType.Form;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;

/** The kinds of values that settings have. */
final class SettingTypes {
    private SettingTypes() {}

    static SettingType<Boolean> flag() {
        return of(
                "true or false",
                text -> switch (text.toLowerCase(Locale.ROOT)) {
                    case "true", "on", "yes", "1" -> true;
                    case "false", "off", "no", "0" -> false;
                    default -> throw new IllegalArgumentException();
                },
                Object::toString);
    }

    static SettingType<Integer> integer(int min, int max) {
        return of(
                "a whole number between " + min + " and " + max,
                text -> {
                    int value = Integer.parseInt(text);
                    if (value < min || value > max) {
                        throw new IllegalArgumentException();
                    }
                    return value;
                },
                Object::toString);
    }

    /** A time-out that 0 switches off. */
    static SettingType<Duration> timeout() {
        return of("a duration such as 500ms, 30s, 5min, 1h; 0 = off", Quantities::duration, Quantities::show);
    }

    /** A duration that must be positive. */
    static SettingType<Duration> duration() {
        return of(
                "a duration above 0 such as 500ms, 30s, 5min, 1h",
                text -> {
                    Duration value = Quantities.duration(text);
                    if (value.isZero()) {
                        throw new IllegalArgumentException();
                    }
                    return value;
                },
                Quantities::show);
    }

    /** A part of a whole. */
    static SettingType<Double> share() {
        return of(
                "a number between 0 and 1",
                text -> {
                    double value = Double.parseDouble(text);
                    if (!(value >= 0 && value <= 1)) {
                        throw new IllegalArgumentException();
                    }
                    return value;
                },
                value -> BigDecimal.valueOf(value).stripTrailingZeros().toPlainString());
    }

    static SettingType<Long> size(long min, long max) {
        return of(
                "a size between " + Quantities.showSize(min) + " and " + Quantities.showSize(max),
                text -> {
                    long value = Quantities.size(text);
                    if (value < min || value > max) {
                        throw new IllegalArgumentException();
                    }
                    return value;
                },
                Quantities::showSize);
    }

    /** Transactions per time, which 0 leaves unlimited. */
    static SettingType<RateLimit> rate() {
        return of(RateLimit.FORM, RateLimit::parse, RateLimit::toString);
    }

    static SettingType<String> text() {
        return of("text", Function.identity(), Function.identity());
    }

    static SettingType<Secret> secret() {
        return new SettingType<>("text", (text, directory) -> new Secret(text), Secret::toString, Form.SECRET);
    }

    /** An address that nobody is to see. */
    static SettingType<Secret> secretUrl() {
        return new SettingType<>(
                "an http:// or https:// URL without user and password",
                (text, directory) -> new Secret(url(text)),
                Secret::toString,
                Form.SECRET);
    }

    /** Where an interface over HTTP is; a slash at the end makes no difference. */
    static SettingType<URI> httpUrl() {
        return of(
                "an http:// or https:// URL without user and password",
                text -> {
                    try {
                        return URI.create(url(text.replaceAll("/+$", "")));
                    } catch (IllegalArgumentException e) { // not repeated: a password may be in it
                        throw new IllegalArgumentException("expects http://host:port or https://host:port", e);
                    }
                },
                URI::toString);
    }

    private static String url(String text) {
        try {
            URI uri = new URI(text);
            boolean http = "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
            if (!http || uri.getHost() == null || uri.getUserInfo() != null || uri.getFragment() != null) {
                throw new IllegalArgumentException();
            }
            return text;
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(); // its own message has the text in it
        }
    }

    static SettingType<String> mailAddress() {
        return of(
                "a mail address such as ops@example.com",
                text -> {
                    if (!text.matches("[^\\s@<>,\\p{Cntrl}]+@[^\\s@<>,\\p{Cntrl}]+")) {
                        throw new IllegalArgumentException();
                    }
                    return text;
                },
                Function.identity());
    }

    /** A file or directory, relative to the directory of the configuration file. */
    static SettingType<Path> path() {
        return new SettingType<>(
                "a path", (text, directory) -> directory.resolve(text).normalize(), Path::toString, Form.PLAIN);
    }

    static <E extends Enum<E>> SettingType<E> choice(Class<E> type) {
        List<E> all = List.of(type.getEnumConstants());
        String names = all.stream().map(Object::toString).collect(Collectors.joining(", "));
        return of(
                "one of " + names,
                text -> all.stream()
                        .filter(e -> e.toString().equalsIgnoreCase(text))
                        .findFirst()
                        .orElseThrow(IllegalArgumentException::new),
                Object::toString);
    }

    static SettingType<HostAddress> address() {
        return of("host:port, or the directory of a unix socket", HostAddress::parse, HostAddress::toString);
    }

    static SettingType<ReplicaAddress> replica() {
        return of(
                "host:port, then perhaps weight=2 and node_exporter=http://host:9100/metrics",
                ReplicaAddress::parse,
                ReplicaAddress::toString);
    }

    static SettingType<Cidr> cidr() {
        return of("an address range such as 10.0.0.0/8", Cidr::parse, Cidr::toString);
    }

    /** A HOCON list, or text with commas as in PgBouncer. */
    static <T> SettingType<List<T>> list(SettingType<T> element) {
        return new SettingType<>(
                "a list, each element " + element.expects(),
                (text, directory) -> {
                    List<T> values = new ArrayList<>();
                    for (String part : text.split(",", -1)) {
                        if (!part.isBlank()) {
                            values.add(element.parse(part.strip(), directory));
                        }
                    }
                    return List.copyOf(values);
                },
                values -> values.stream().map(element::show).collect(Collectors.joining(",")),
                Form.LIST);
    }

    static SettingType<String> tlsProtocol() {
        return oneOf("TLSv1.2 or TLSv1.3", () -> List.of("TLSv1.2", "TLSv1.3"));
    }

    static SettingType<String> tlsCipher() {
        return oneOf("a cipher suite that this Java has, such as TLS_AES_256_GCM_SHA384", SettingTypes::cipherSuites);
    }

    private static List<String> cipherSuites() {
        try {
            return List.of(SSLContext.getDefault().getSupportedSSLParameters().getCipherSuites());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static SettingType<String> oneOf(String expects, Supplier<List<String>> allowed) {
        return of(
                expects,
                text -> {
                    if (!allowed.get().contains(text)) {
                        throw new IllegalArgumentException();
                    }
                    return text;
                },
                Function.identity());
    }

    /** Permissions of a file in octal, {@code 0777}. */
    static SettingType<Set<PosixFilePermission>> fileMode() {
        return of("permissions in octal, 0000 to 0777", SettingTypes::parseMode, SettingTypes::showMode);
    }

    private static Set<PosixFilePermission> parseMode(String text) {
        int bits = Integer.parseInt(text, 8);
        if (bits < 0 || bits > 0777) {
            throw new IllegalArgumentException();
        }
        StringBuilder letters = new StringBuilder("rwxrwxrwx");
        for (int i = 0; i < letters.length(); i++) {
            if ((bits & (0400 >> i)) == 0) {
                letters.setCharAt(i, '-');
            }
        }
        return Set.copyOf(PosixFilePermissions.fromString(letters.toString()));
    }

    private static String showMode(Set<PosixFilePermission> mode) {
        String letters = PosixFilePermissions.toString(mode);
        int bits = 0;
        for (int i = 0; i < letters.length(); i++) {
            bits |= letters.charAt(i) == '-' ? 0 : 0400 >> i;
        }
        return String.format(Locale.ROOT, "%04o", bits);
    }

    static <T> SettingType<T> of(String expects, Function<String, T> parser, Function<T, String> shower) {
        return new SettingType<>(expects, (text, directory) -> parser.apply(text), shower, Form.PLAIN);
    }
}
