package dev.pgproxy.query;

import dev.pgproxy.cache.KeyHash;
import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.results.Key;
import dev.pgproxy.results.LoopKeys;
import dev.pgproxy.results.Results;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.session.ClientStatements;
import dev.pgproxy.session.Reported;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.Settings;
import dev.pgproxy.session.UnnamedStatement;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Makes the key of a read: everything that its answer follows from, besides the data. Two reads with the same key, asked as
 * of the same moment, have the same answer byte for byte. One per client, confined to its loop.
 *
 * <p>Fed in this order: the session (database, user, what it has set, what servers report to it), the version of the
 * definitions, simple or extended, the text without its comments (with the types of its parameters, if extended), and of a Bind everything
 * behind the name of the statement: formats, values, formats of the result.
 */
final class ReadKey {
    private static final int SIMPLE = 0;
    private static final int EXTENDED = 1;

    /** No answer follows from these, unless it looks at a parameter by its name. */
    private static final Set<String> HARMLESS = Set.of(
            "application_name",
            "statement_timeout",
            "lock_timeout",
            "idle_in_transaction_session_timeout",
            "idle_session_timeout",
            "transaction_timeout",
            "tcp_user_timeout",
            "tcp_keepalives_idle",
            "tcp_keepalives_interval",
            "tcp_keepalives_count",
            "pgproxy.freshness");

    /** Of what servers report these say nothing of the session, or something of the server's role. */
    private static final Set<String> NOT_OF_THE_ANSWER =
            Set.of("application_name", "in_hot_standby", "default_transaction_read_only");

    private final Results results;
    private final Session session;
    private final DatabaseState state;
    private final byte[] user;
    private @Nullable Settings seen;
    private @Nullable Reported seenReported;
    private int seenCustom;
    private long plainHigh;
    private long plainLow;
    private long wholeHigh;
    private long wholeLow;
    private long high;
    private long low;

    /**
     * For one client.
     *
     * @param user as whom it is logged in to servers
     */
    ReadKey(Results results, Session session, DatabaseState state, String user) {
        this.results = results;
        this.session = session;
        this.state = state;
        this.user = user.getBytes(StandardCharsets.UTF_8);
    }

    /** The first half of the last key. */
    long high() {
        return high;
    }

    /** The other half. */
    long low() {
        return low;
    }

    /**
     * Makes the key of a read.
     *
     * @param definitions those by which it was seen what is read, whatever they are by now
     * @param looksAtSettings whether the answer may follow from any parameter, by its name
     * @return false if there is too much to read
     */
    boolean make(Exchange exchange, OneRead read, long definitions, boolean looksAtSettings) {
        look();
        LoopKeys keys = results.keys();
        KeyHash hash = begin(definitions, looksAtSettings);
        boolean made = read.isSimple() ? simple(exchange, keys, hash) : extended(exchange, read, keys, hash);
        if (made) {
            hash.finish();
            high = hash.high();
            low = hash.low();
        }
        return made;
    }

    /** The key of a text, zero at its end included, as a Query; null if it is too long. */
    @Nullable
    Key of(byte[] query, boolean looksAtSettings) {
        look();
        KeyHash hash = begin(state.definitions(), looksAtSettings);
        hash.addInt(SIMPLE);
        if (query.length > LoopKeys.MOST) {
            return null;
        }
        hash.addBytes(query, 0, query.length);
        hash.finish();
        return new Key(hash.high(), hash.low());
    }

    private KeyHash begin(long definitions, boolean looksAtSettings) {
        KeyHash hash = results.keys().begin();
        hash.addLong(looksAtSettings ? wholeHigh : plainHigh);
        hash.addLong(looksAtSettings ? wholeLow : plainLow);
        hash.addLong(definitions);
        return hash;
    }

    private static boolean simple(Exchange exchange, LoopKeys keys, KeyHash hash) {
        hash.addInt(SIMPLE);
        return text(exchange, 0, exchange.index(0) + FrameReader.HEADER, keys);
    }

    /** Feeds a text, without its comments, and what is behind it in its message. */
    private static boolean text(Exchange exchange, int i, int from, LoopKeys keys) {
        ByteBuf buf = exchange.buffer(i);
        int end = exchange.index(i) + exchange.length(i);
        if (end - from > LoopKeys.MOST) {
            return false;
        }
        QueryFacts facts = exchange.facts(i);
        byte[] text = facts == null ? null : facts.uncommented();
        if (text == null) {
            keys.add(buf, from, end - from);
        } else {
            int behind = CString.end(buf, from, end) + 1;
            keys.add(text, buf, behind, end - behind);
        }
        return true;
    }

    private boolean extended(Exchange exchange, OneRead read, LoopKeys keys, KeyHash hash) {
        hash.addInt(EXTENDED);
        if (!statement(exchange, read, keys, hash)) {
            return false;
        }
        ByteBuf buf = exchange.buffer(read.bind());
        int end = exchange.index(read.bind()) + exchange.length(read.bind());
        int from = exchange.valuesAt(read.bind());
        if (end - from > LoopKeys.MOST) {
            return false;
        }
        keys.add(buf, from, end - from);
        return true;
    }

    private boolean statement(Exchange exchange, OneRead read, LoopKeys keys, KeyHash hash) {
        int parse = read.parse();
        if (parse >= 0) {
            ByteBuf buf = exchange.buffer(parse);
            int end = exchange.index(parse) + exchange.length(parse);
            int from = CString.end(buf, exchange.index(parse) + FrameReader.HEADER, end) + 1;
            return text(exchange, parse, from, keys);
        }
        ClientStatements.Entry named = read.entry();
        UnnamedStatement unnamed = session.unnamed();
        byte[] rest;
        byte[] text;
        if (named != null) {
            rest = named.statement().rest();
            text = named.statement().facts().uncommented();
        } else if (unnamed != null && "".equals(exchange.statementName(read.bind()))) {
            rest = unnamed.rest();
            text = unnamed.facts().uncommented();
        } else {
            return false;
        }
        if (rest.length > LoopKeys.MOST) {
            return false;
        }
        if (text == null) {
            hash.addBytes(rest, 0, rest.length);
        } else {
            keys.add(text, rest, behindText(rest));
        }
        return true;
    }

    /** Where the types of parameters begin in the body of a Parse behind its name. */
    private static int behindText(byte[] rest) {
        int at = 0;
        while (rest[at] != 0) {
            at++;
        }
        return at + 1;
    }

    private void look() {
        Settings settings = session.settings().get();
        Reported reported = session.reported();
        int custom = session.customSettings().size();
        if (settings == seen && reported == seenReported && custom == seenCustom) {
            return;
        }
        seen = settings;
        seenReported = reported;
        seenCustom = custom;
        KeyHash hash = scope(settings, reported, HARMLESS);
        plainHigh = hash.high();
        plainLow = hash.low();
        hash = scope(settings, reported, Set.of());
        wholeHigh = hash.high();
        wholeLow = hash.low();
    }

    private KeyHash scope(Settings settings, Reported reported, Set<String> without) {
        KeyHash hash = results.keys().begin();
        String common = state.commonName();
        add(hash, common == null ? Long.toString(state.id()) : common);
        hash.addBytes(user, 0, user.length);
        for (String name : new TreeSet<>(settings.names())) {
            if (!without.contains(name)) {
                add(hash, name);
                add(hash, String.valueOf(settings.get(name)));
            }
        }
        hash.addInt(0); // ends the list, whose fields are all texts
        for (Map.Entry<String, String> entry : new TreeMap<>(reported.values()).entrySet()) {
            if (!NOT_OF_THE_ANSWER.contains(entry.getKey())) {
                add(hash, entry.getKey());
                add(hash, entry.getValue());
            }
        }
        if (without.isEmpty()) { // a parameter of the users' own that was reset is empty, and not NULL as before
            new TreeSet<>(session.customSettings()).forEach(name -> add(hash, name));
        }
        hash.finish();
        return hash;
    }

    private static void add(KeyHash hash, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        hash.addBytes(bytes, 0, bytes.length);
    }
}
