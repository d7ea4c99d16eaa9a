package dev.pgproxy.auth;

import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who may connect from where and how: the rules of a {@code pg_hba.conf} in their order (PostgreSQL's manual, "The
 * pg_hba.conf File"). Immutable, thread-safe; matching allocates nothing.
 */
public final class HbaRules {
    /** One line. */
    record Entry(HbaCondition condition, HbaRule rule) {}

    private final List<Entry> entries;

    private HbaRules(List<Entry> entries) {
        this.entries = List.copyOf(entries);
    }

    /**
     * The rules of a text; what is wrong in it or not supported is added to the problems, all of it. If there is any,
     * the rules returned admit nobody: a rule left out could have been the one that rejects.
     *
     * @param file the name for the problems
     */
    public static HbaRules parse(String file, String text, List<FileProblem> problems) {
        int before = problems.size();
        List<Entry> entries = new HbaParser(file, problems).parse(text);
        return new HbaRules(problems.size() == before ? entries : List.of());
    }

    /**
     * The first rule that applies, or null: then nobody is let in.
     *
     * @param address of the client; null on a unix socket
     * @param tls whether the connection is encrypted
     * @param physicalReplication whether the client asked for {@code replication=true}; logical replication
     *     ({@code replication=database}) connects to a database like others
     */
    public @Nullable HbaRule match(
            @Nullable InetAddress address, boolean tls, String database, String user, boolean physicalReplication) {
        for (int i = 0; i < entries.size(); i++) {
            Entry entry = entries.get(i);
            if (entry.condition.holds(address, tls, database, user, physicalReplication)) {
                return entry.rule;
            }
        }
        return null;
    }

    /** Adds a problem for each rule whose map is not there: it would let nobody in. */
    public void checkMaps(String file, IdentMaps maps, List<FileProblem> problems) {
        for (Entry entry : entries) {
            String map = entry.rule.map();
            if (map != null && !maps.has(map)) {
                problems.add(new FileProblem(file, entry.rule.line(), "map \"" + map + "\" is not in auth_ident_file"));
            }
        }
    }

    /** How many rules there are. */
    public int size() {
        return entries.size();
    }
}
