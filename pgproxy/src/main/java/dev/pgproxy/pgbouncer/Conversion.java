package dev.pgproxy.pgbouncer;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Makes pgproxy's configuration of the lines of an ini file. Confined to one call. */
final class Conversion {
    private static final List<String> WITHOUT_EQUIVALENT = List.of("any", "pam", "ldap");
    /** src/varcache.c */
    private static final List<String> TRACKED =
            List.of("application_name", "client_encoding", "datestyle", "standard_conforming_strings", "timezone");

    private static final String STATEMENTS = "max_prepared_statements";

    private final Path working;
    private final List<Remark> remarks;
    private final Node.Block root;

    /** Each general setting where it was given last. */
    private final Map<String, IniLine> general = new LinkedHashMap<>();

    Conversion(String file, Path working, List<Remark> remarks) {
        this.working = working;
        this.remarks = remarks;
        this.root = new Node.Block(file, 0);
    }

    Node.Block convert(List<IniLine> lines) {
        for (IniLine line : lines) {
            if (line.section().equals(IniReader.GENERAL)) {
                if (GeneralSettings.of(line.key()) == null) {
                    remarks.add(line.error("unknown setting '" + line.key() + "' of PgBouncer"));
                }
                general.put(line.key(), line);
            }
        }
        GeneralSettings.all().forEach(this::general);
        startupParameters();
        authentication();
        sizes();
        tls("client");
        tls("server");
        root.put(root.file(), 0, "shutdown_timeout", "0"); // PgBouncer waits for its clients as long as it takes
        sections(lines);
        return root;
    }

    private void general(String name, Meaning meaning) {
        IniLine line = general.get(name);
        switch (meaning) {
            case Meaning.Same same -> same(name, same, line);
            case Meaning.None none -> {
                if (line != null) {
                    remarks.add(line.remark(none.kind(line.value()), name + ": " + none.why()));
                }
            }
            case Meaning.Special special -> {} // below
        }
    }

    private void same(String name, Meaning.Same same, @Nullable IniLine line) {
        String value = line == null ? same.otherwise() : line.value();
        if (value == null || same.form().isUnset(value)) {
            return;
        }
        try {
            Object converted =
                    same.form() == ValueForm.FILE ? path(value) : same.form().convert(value);
            root.put(line == null ? root.file() : line.file(), line == null ? 0 : line.line(), same.name(), converted);
        } catch (IllegalArgumentException e) {
            remarks.add(new Remark(
                    Remark.Kind.ERROR,
                    line == null ? root.file() : line.file(),
                    line == null ? 0 : line.line(),
                    name + ": " + e.getMessage()));
        }
    }

    private String path(String value) {
        if (value.startsWith("@")) {
            throw new IllegalArgumentException("sockets in the abstract namespace are not supported; use a directory");
        }
        return working.resolve(value).normalize().toString();
    }

    private void authentication() {
        IniLine type = general.get("auth_type");
        String method = type == null ? "md5" : (String) ValueForm.CHOICE.convert(type.value());
        if (type != null && WITHOUT_EQUIVALENT.contains(method)) {
            remarks.add(
                    type.error(
                            "auth_type: there is no '" + method
                                    + "' here, and another method would let other clients in: use scram-sha-256, md5, cert, hba or trust"));
        } else {
            root.put(type == null ? root.file() : type.file(), type == null ? 0 : type.line(), "auth_type", method);
        }
        for (String name : List.of("auth_hba_file", "auth_ident_file")) {
            IniLine file = general.get(name);
            if (file != null && method.equals("hba")) {
                file(file);
            } else if (file != null) {
                remarks.add(file.remark(Remark.Kind.NEEDLESS, name + ": is not read unless auth_type is hba"));
            }
        }
    }

    /** What PgBouncer does not track it refuses, unless it is to be ignored. */
    private void startupParameters() {
        IniLine extra = general.get("track_extra_parameters");
        List<String> names = new ArrayList<>(TRACKED);
        for (String name : (extra == null ? "IntervalStyle" : extra.value()).split(",", -1)) {
            if (!name.isBlank()) {
                names.add(name.strip().toLowerCase(Locale.ROOT));
            }
        }
        root.put(
                extra == null ? root.file() : extra.file(),
                extra == null ? 0 : extra.line(),
                "allow_startup_parameters",
                names.stream().distinct().toList());
    }

    private void file(IniLine line) {
        same(line.key(), new Meaning.Same(line.key(), ValueForm.FILE, null), line);
    }

    private void sizes() {
        IniLine minimum = general.get("min_pool_size");
        if (minimum != null) {
            try {
                Node size = root.entries().get("default_pool_size");
                long most = size instanceof Node.Text text ? Long.parseLong(text.text()) : 20;
                root.put(minimum, minimum.key(), Long.toString(Math.min(most, ValueForm.number(minimum.value()))));
            } catch (IllegalArgumentException e) {
                remarks.add(minimum.error("min_pool_size: " + e.getMessage()));
            }
        }
        IniLine statements = general.get(STATEMENTS);
        if (statements == null) {
            return;
        }
        if (statements.value().equals("0")) {
            remarks.add(statements.remark(
                    Remark.Kind.DIFFERENT, STATEMENTS + ": prepared statements work in every pool mode, 200 are kept"));
        } else {
            same(STATEMENTS, new Meaning.Same(STATEMENTS, ValueForm.NUMBER, null), statements);
        }
    }

    private void tls(String side) {
        String prefix = side + "_tls_";
        boolean off = root.entries().get(prefix + "sslmode") instanceof Node.Text mode
                ? mode.text().equals("disable")
                : side.equals("client");
        for (String name : List.of("key_file", "cert_file", "ca_file")) {
            IniLine line = general.get(prefix + name);
            if (line != null && off) {
                remarks.add(line.remark(
                        Remark.Kind.NEEDLESS, line.key() + ": is not read while " + prefix + "sslmode is disable"));
            } else if (line != null) {
                file(line);
            }
        }
        ciphers(general.get(prefix + "ciphers"), general.get(side + "_tls13_ciphers"), prefix + "ciphers");
    }

    private void ciphers(@Nullable IniLine upTo12, @Nullable IniLine of13, String name) {
        IniLine place = upTo12 == null ? of13 : upTo12;
        if (place == null) {
            return;
        }
        String names13 = of13 == null || of13.value().isEmpty() ? null : of13.value();
        List<String> suites = TlsNames.suites(upTo12 == null ? "" : upTo12.value(), names13);
        if (suites != null && !suites.isEmpty()) {
            root.put(place.file(), place.line(), name, suites);
        } else if (suites == null) {
            chosenByJava(upTo12, name);
            chosenByJava(of13, name);
        }
    }

    private void chosenByJava(@Nullable IniLine line, String name) {
        if (line != null) {
            remarks.add(line.remark(
                    Remark.Kind.DIFFERENT,
                    line.key() + ": Java chooses the suites; write " + name + " by Java's names to choose yourself"));
        }
    }

    private void sections(List<IniLine> lines) {
        Node.Block databases = new Node.Block(root.file(), 0);
        Node.Block users = new Node.Block(root.file(), 0);
        Node.Block peers = new Node.Block(root.file(), 0);
        String sockets = root.entries().get("unix_socket_dir") instanceof Node.Text text ? text.text() : null;
        String own = root.entries().get("peer_id") instanceof Node.Text text ? text.text() : "0";
        for (IniLine line : lines) {
            try {
                Pairs pairs = line.section().equals(IniReader.GENERAL) ? Pairs.NONE : Pairs.of(line, remarks);
                switch (line.section()) {
                    case "databases" -> databases.entries().put(line.key(), pairs.database(sockets));
                    case "users" -> users.entries().put(line.key(), pairs.user());
                    case "peers" -> peer(line, pairs, own, peers);
                    default -> {}
                }
            } catch (IllegalArgumentException e) {
                remarks.add(line.error(line.section() + "." + line.key() + ": " + e.getMessage()));
            }
        }
        put("databases", databases);
        put("users", users);
        put("peers", peers);
    }

    private void peer(IniLine line, Pairs pairs, String own, Node.Block peers) {
        String address = pairs.peer();
        if (own.equals("0")) {
            remarks.add(line.remark(Remark.Kind.NEEDLESS, "peers." + line.key() + ": is not used, since peer_id is 0"));
        } else if (!line.key().equals(own)) {
            peers.put(line, line.key(), address);
        }
    }

    private void put(String name, Node.Block block) {
        if (!block.entries().isEmpty()) {
            root.entries().put(name, block);
        }
    }
}
