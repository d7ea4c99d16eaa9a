package dev.pgproxy.session;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.SessionEffect;
import dev.pgproxy.protocol.sql.StatementFlags;
import java.time.Instant;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a client believes it has, whichever server executes its next transaction. Confined to the client's event loop.
 */
public final class Session {
    /** Longest part of a statement that is kept for SHOW PINS. */
    private static final int MAX_SNIPPET = 200;

    private final String database;
    private final String user;
    private final Settings base;
    private final Tracked<Settings> settings;
    private final Tracked<Set<String>> channels = new Tracked<>(Set.of());
    private final Set<String> customSettings = new HashSet<>(0);
    private final ClientStatements statements = new ClientStatements();
    private final Map<String, SessionEffect.Prepare> sqlStatements = new HashMap<>(0);
    private final Map<PinReason, Pin> pins = new EnumMap<>(PinReason.class);

    private @Nullable UnnamedStatement unnamed;
    private @Nullable Object sequenceServer;
    private Reported reported;
    private byte status = TransactionStatus.IDLE;
    private @Nullable ErrorFields failure;
    private String suspect = "";
    private Set<String> mentioned = Set.of();
    private boolean suspected;
    private boolean probing;

    /**
     * A new session.
     *
     * @param base what its start-up message set: RESET returns to it
     * @param reported what it was told at start-up
     */
    public Session(String database, String user, Settings base, Reported reported) {
        this.database = database;
        this.user = user;
        this.base = base;
        this.settings = new Tracked<>(base);
        this.reported = reported;
        for (String name : base.names()) {
            if (Settings.isCustom(name)) {
                customSettings.add(name);
            }
        }
    }

    /** The database as the client named it. */
    public String database() {
        return database;
    }

    /** The user as the client named it. */
    public String user() {
        return user;
    }

    /** What the start-up message set. */
    public Settings base() {
        return base;
    }

    /** What is set now. */
    public Tracked<Settings> settings() {
        return settings;
    }

    /** Channels listened on. */
    public Tracked<Set<String>> channels() {
        return channels;
    }

    /** Custom parameters that this session has ever set. */
    public Set<String> customSettings() {
        return customSettings;
    }

    /** Named statements of the protocol. */
    public ClientStatements statements() {
        return statements;
    }

    /** Statements of SQL PREPARE by name. */
    public Map<String, SessionEffect.Prepare> sqlStatements() {
        return sqlStatements;
    }

    /** Whether a statement of this name is prepared, by the protocol or by SQL: they share their names. */
    public boolean hasStatement(String name) {
        return hasStatements() && (statements.find(name) != null || sqlStatements.containsKey(name));
    }

    /** Whether any statement that has a name is prepared. */
    public boolean hasStatements() {
        return statements.size() > 0 || !sqlStatements.isEmpty();
    }

    /** What the statement inside a PREPARE may do, as {@link StatementFlags}; nothing is known of other names. */
    public int sqlFlags(String name) {
        SessionEffect.Prepare statement = sqlStatements.get(name);
        return statement == null ? StatementFlags.UNKNOWN_FUNCTION : statement.bodyFlags();
    }

    /** The unnamed statement. */
    public @Nullable UnnamedStatement unnamed() {
        return unnamed;
    }

    /** Replaces or drops the unnamed statement. */
    public void unnamed(@Nullable UnnamedStatement statement) {
        unnamed = statement;
    }

    /** What the client was told by ParameterStatus. */
    public Reported reported() {
        return reported;
    }

    /** Its application_name; empty if there is none. */
    public String application() {
        String name = reported.get("application_name");
        return name == null ? "" : name;
    }

    /** The client has been told otherwise. */
    public void reported(Reported told) {
        reported = told;
    }

    /** The transaction status that the client was last told. */
    public byte status() {
        return status;
    }

    /** Whether the client was last told that it is inside a transaction block. */
    public boolean isInTransaction() {
        return status != TransactionStatus.IDLE;
    }

    /** An error has ended a statement. */
    public void failed(ErrorFields error) {
        failure = error;
    }

    /** The last error since the last ReadyForQuery; null if there was none. */
    public @Nullable ErrorFields failure() {
        return failure;
    }

    /** ReadyForQuery: returns true if the transaction, explicit or not, has ended with all its changes undone. */
    public boolean ready(byte newStatus) {
        boolean undone = failure != null;
        status = newStatus;
        failure = null;
        return undone;
    }

    // ---- pins

    /** Why this session keeps its server. */
    public Map<PinReason, Pin> pins() {
        return pins;
    }

    /** Keeps the server from now on. */
    public void pin(PinReason reason, String statement) {
        pins.putIfAbsent(reason, new Pin(reason, statement, Instant.now()));
    }

    /** The reason has gone. */
    public void unpin(PinReason reason) {
        pins.remove(reason);
    }

    /** Where it last took a value from a sequence, as far as can be told. */
    public @Nullable Object sequenceServer() {
        return sequenceServer;
    }

    /** It may be taking a value from a sequence there; null: what it took is forgotten. */
    public void sequenceServer(@Nullable Object server) {
        sequenceServer = server;
    }

    /** A statement was sent whose effects on the session are to be probed when its transaction has ended. */
    public void suspect(Supplier<String> text) {
        if (!suspected) {
            suspected = true;
            String statement = text.get();
            suspect = statement.length() > MAX_SNIPPET ? statement.substring(0, MAX_SNIPPET) : statement;
        }
    }

    /** A statement was sent that may set these parameters, in code that PostgreSQL alone reads. */
    public void mentions(Set<String> parameters) {
        if (!parameters.isEmpty()) {
            mentioned = new HashSet<>(mentioned);
            mentioned.addAll(parameters);
        }
    }

    /** What such statements may have set since the last probe. */
    public Set<String> takeMentioned() {
        Set<String> taken = mentioned;
        mentioned = Set.of();
        return taken;
    }

    /** Whether a probe is due. */
    public boolean isSuspected() {
        return suspected;
    }

    /** Whether there is, or may be, more of this session on its server than settings and prepared statements. */
    public boolean hasStateOnServer() {
        return suspected || probing || !pins.isEmpty();
    }

    /** The probe is being made: what is suspected from now on needs another. Returns what made it due. */
    public String takeSuspect() {
        suspected = false;
        probing = true;
        return suspect;
    }

    /** The probe has been made: these reasons hold, besides those that no probe can see. */
    public void probed(Set<PinReason> found, String statement) {
        probing = false;
        pins.keySet()
                .removeIf(reason -> !found.contains(reason)
                        && reason != PinReason.UNPREDICTABLE_STATE
                        && reason != PinReason.MIXED_PIPELINE
                        && reason != PinReason.SEQUENCE);
        for (PinReason reason : found) {
            pin(reason, statement);
        }
    }

    /** DISCARD ALL: as after login. */
    public void discardAll() {
        settings.reset(base);
        channels.reset(Set.of());
        statements.clear();
        sqlStatements.clear();
        discardSequences();
    }

    /** DISCARD SEQUENCES. */
    public void discardSequences() {
        sequenceServer = null;
        pins.remove(PinReason.SEQUENCE);
    }

    /** Adds a channel within the transaction. */
    public void listen(String channel) {
        Set<String> more = new TreeSet<>(channels.get());
        more.add(channel);
        channels.set(more);
    }

    /** Removes a channel, or all for null, within the transaction. */
    public void unlisten(@Nullable String channel) {
        if (channel == null) {
            channels.set(Set.of());
        } else if (channels.get().contains(channel)) {
            Set<String> fewer = new TreeSet<>(channels.get());
            fewer.remove(channel);
            channels.set(fewer);
        }
    }
}
