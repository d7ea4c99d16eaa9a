package dev.pgproxy.auth;

import dev.pgproxy.auth.HbaFields.Word;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Compiles the text of a {@code pg_hba.conf}. What PostgreSQL knows and pgproxy does not is a problem, never skipped: a
 * rule may be there to keep somebody out. Confined to one call.
 */
final class HbaParser {
    private static final Set<String> OTHER_METHODS =
            Set.of("gss", "sspi", "ident", "ldap", "radius", "pam", "bsd", "oauth");

    private static final String MAP = "map=";

    private final String file;
    private final List<FileProblem> problems;

    HbaParser(String file, List<FileProblem> problems) {
        this.file = file;
        this.problems = problems;
    }

    /** What is wrong with the line at hand; ends the reading of that line only. */
    private static final class Mistake extends Exception {
        private static final long serialVersionUID = 1L;

        Mistake(String message) {
            super(message, null, false, false);
        }
    }

    List<HbaRules.Entry> parse(String text) {
        List<HbaRules.Entry> entries = new ArrayList<>();
        List<String> lines = text.lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            int number = i + 1;
            StringBuilder line = new StringBuilder(lines.get(i));
            // a backslash at the end continues the line
            while (!line.isEmpty() && line.charAt(line.length() - 1) == '\\') {
                line.setLength(line.length() - 1);
                i++;
                line.append(i < lines.size() ? lines.get(i) : "");
            }
            try {
                List<List<Word>> fields = HbaFields.of(line.toString());
                if (!fields.isEmpty()) {
                    entries.add(entry(number, fields));
                }
            } catch (Mistake | IllegalArgumentException e) {
                problems.add(new FileProblem(file, number, String.valueOf(e.getMessage())));
            }
        }
        return entries;
    }

    private static HbaRules.Entry entry(int line, List<List<Word>> fields) throws Mistake {
        HbaCondition.Connections connections = connections(single(fields, 0, "connection type"));
        HbaCondition.Databases databases = databases(field(fields, 1, "database"));
        HbaCondition.Names users = users(field(fields, 2, "user"));
        int at = 3;
        AddressRange addresses = null;
        if (connections != HbaCondition.Connections.LOCAL) {
            Word address = single(fields, at++, "address");
            if (AddressRange.isAddress(address.text())) {
                addresses = range(address, single(fields, at++, "mask of the address"));
            } else {
                addresses = range(address);
            }
        }
        AuthMethod method = method(single(fields, at++, "method"), connections);
        ClientCertificate certificate = ClientCertificate.NONE;
        String map = null;
        for (List<Word> option : fields.subList(at, fields.size())) {
            for (Word word : option) {
                if (word.text().startsWith(MAP)) {
                    map = map(word.text().substring(MAP.length()), method);
                } else {
                    certificate = clientCertificate(word.text(), connections, method);
                }
            }
        }
        if (method == AuthMethod.CERT) {
            certificate = map == null ? ClientCertificate.VERIFY_FULL : ClientCertificate.VERIFY_CA;
        }
        return new HbaRules.Entry(
                new HbaCondition(connections, databases, users, addresses),
                new HbaRule(line, method, certificate, map));
    }

    private static HbaCondition.Connections connections(Word word) throws Mistake {
        return switch (word.text()) {
            case "local" -> HbaCondition.Connections.LOCAL;
            case "host" -> HbaCondition.Connections.HOST;
            case "hostssl" -> HbaCondition.Connections.HOSTSSL;
            case "hostnossl" -> HbaCondition.Connections.HOSTNOSSL;
            case "hostgssenc", "hostnogssenc", "include", "include_if_exists", "include_dir" ->
                throw new Mistake("\"" + word.text() + "\" is not supported");
            default ->
                throw new Mistake(
                        "unknown connection type \"" + word.text() + "\"; expected local, host, hostssl or hostnossl");
        };
    }

    private static HbaCondition.Databases databases(List<Word> words) throws Mistake {
        boolean all = false;
        boolean sameUser = false;
        boolean replication = false;
        Set<String> names = new HashSet<>();
        for (Word word : words) {
            if (word.is("all")) {
                all = true;
            } else if (word.is("sameuser")) {
                sameUser = true;
            } else if (word.is("replication")) {
                replication = true;
            } else if (word.is("samerole") || word.is("samegroup")) {
                throw new Mistake("\"" + word.text() + "\" is not supported: pgproxy does not know who is in a role");
            } else {
                names.add(name(word));
            }
        }
        return new HbaCondition.Databases(sameUser, replication, new HbaCondition.Names(all, Set.copyOf(names)));
    }

    private static HbaCondition.Names users(List<Word> words) throws Mistake {
        boolean all = false;
        Set<String> names = new HashSet<>();
        for (Word word : words) {
            if (word.is("all")) {
                all = true;
            } else if (!word.quoted() && word.text().startsWith("+")) {
                throw new Mistake("\"" + word.text() + "\" is not supported: pgproxy does not know who is in a role");
            } else {
                names.add(name(word));
            }
        }
        return new HbaCondition.Names(all, Set.copyOf(names));
    }

    /** A name that means itself. */
    private static String name(Word word) throws Mistake {
        if (!word.quoted() && word.text().startsWith("@")) {
            throw new Mistake("\"" + word.text() + "\" is not supported: write the names of that file here");
        }
        if (word.text().startsWith("/")) {
            throw new Mistake("\"" + word.text() + "\" is not supported: regular expressions are not");
        }
        return word.text();
    }

    private static @Nullable AddressRange range(Word word) throws Mistake {
        if (word.is("all")) {
            return null;
        }
        if (word.is("samehost") || word.is("samenet")) {
            throw new Mistake("\"" + word.text() + "\" is not supported: write the network, as in 10.0.0.0/8");
        }
        AddressRange range = AddressRange.ofCidr(word.text());
        if (range != null) {
            return range;
        }
        if (word.text().matches("[0-9a-fA-F:.]*/.*")) {
            throw new Mistake("invalid network \"" + word.text() + "\"; expected address/bits, as in 10.0.0.0/8");
        }
        throw new Mistake("invalid address \"" + word.text() + "\"; host names are not supported");
    }

    private static AddressRange range(Word address, Word mask) throws Mistake {
        AddressRange range = AddressRange.ofMask(address.text(), mask.text());
        if (range == null) {
            throw new Mistake("address \"" + address.text() + "\" needs /bits, or a mask of its kind; \"" + mask.text()
                    + "\" is none");
        }
        return range;
    }

    private static AuthMethod method(Word word, HbaCondition.Connections connections) throws Mistake {
        AuthMethod method = AuthMethod.named(word.text());
        if (method == null) {
            throw new Mistake(
                    OTHER_METHODS.contains(word.text())
                            ? "method \"" + word.text() + "\" is not supported"
                            : "unknown method \"" + word.text()
                                    + "\"; expected trust, reject, password, md5, scram-sha-256, cert or peer");
        }
        if (method == AuthMethod.PEER && connections != HbaCondition.Connections.LOCAL) {
            throw new Mistake("method \"peer\" needs a unix socket: connection type local");
        }
        if (method == AuthMethod.CERT && connections != HbaCondition.Connections.HOSTSSL) {
            throw new Mistake("method \"cert\" needs TLS: connection type hostssl");
        }
        return method;
    }

    private static String map(String name, AuthMethod method) throws Mistake {
        if (method != AuthMethod.CERT && method != AuthMethod.PEER) {
            throw new Mistake("option \"map\" needs method cert or peer");
        }
        if (name.isEmpty()) {
            throw new Mistake("option \"map\" names no map");
        }
        return name;
    }

    private static ClientCertificate clientCertificate(
            String option, HbaCondition.Connections connections, AuthMethod method) throws Mistake {
        int equals = option.indexOf('=');
        if (equals < 0) {
            throw new Mistake("option \"" + option + "\" is not of the form name=value");
        }
        String name = option.substring(0, equals);
        String value = option.substring(equals + 1);
        if (!name.equals("clientcert")) {
            throw new Mistake("option \"" + name + "\" is not supported");
        }
        if (connections != HbaCondition.Connections.HOSTSSL) {
            throw new Mistake("option \"clientcert\" needs TLS: connection type hostssl");
        }
        if (value.equals("verify-full") || (value.equals("verify-ca") && method != AuthMethod.CERT)) {
            return ClientCertificate.valueOf(value.replace('-', '_').toUpperCase(Locale.ROOT));
        }
        throw new Mistake("invalid value \"" + value + "\" of option \"clientcert\"; expected "
                + (method == AuthMethod.CERT ? "verify-full with method cert" : "verify-ca or verify-full"));
    }

    private static List<Word> field(List<List<Word>> fields, int index, String what) throws Mistake {
        if (index >= fields.size()) {
            throw new Mistake("the line ends before the " + what);
        }
        return fields.get(index);
    }

    private static Word single(List<List<Word>> fields, int index, String what) throws Mistake {
        List<Word> words = field(fields, index, what);
        if (words.size() > 1) {
            throw new Mistake("only one " + what + " may be given");
        }
        return words.getFirst();
    }
}
