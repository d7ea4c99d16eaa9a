package dev.pgproxy.console;

import dev.pgproxy.alert.Alerts;
import dev.pgproxy.client.ClientConnection;
import dev.pgproxy.client.ClientServices;
import dev.pgproxy.client.Clients;
import dev.pgproxy.client.Console;
import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.config.ConfigChanges;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.net.Transport;
import dev.pgproxy.pool.Pools;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.route.Routes;
import dev.pgproxy.warm.Warming;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The console of the running program. Thread-safe. Source: PgBouncer's usage.md, "Admin console". */
public final class AdminConsole implements Console {
    static final String KILLED = "terminating connection due to administrator command";

    private static final Logger LOG = LoggerFactory.getLogger(AdminConsole.class);

    /** Parameters that drivers set without being asked; they change nothing here, as in PgBouncer. */
    private static final Set<String> IGNORED = Set.of(
            "application_name",
            "client_encoding",
            "client_min_messages",
            "datestyle",
            "extra_float_digits",
            "intervalstyle",
            "search_path",
            "standard_conforming_strings",
            "statement_timeout",
            "timezone");

    private static final String HELP = """

            \tSHOW HELP|CONFIG|DATABASES|POOLS|CLIENTS|SERVERS|USERS|VERSION
            \tSHOW PEERS|PINS|HOSTS|REPLICAS|BREAKERS|FAILOVER|PATRONI|ROUTES|UNPARSED|INSTANCES
            \tSHOW RATE_LIMITS|PRIORITIES|RETRIES|RULES
            \tSHOW QUERIES [ORDER BY <column> [ASC]] [LIMIT <n>]
            \tSHOW SLOW [TOTALS]
            \tSHOW ADVICE|INDEXES|PLANS|ACTIVE|REPETITIONS|LATENCIES|QUERY_LOG
            \tSHOW NPLUSONE [LIMIT <n>]
            \tSHOW SCHEMA HISTORY
            \tRESET QUERIES
            \tSHOW ALERTS|ALERT_SINKS
            \tSHOW ROUTE [<db>] '<statement>'
            \tSHOW CACHE [MISSES|TABLES|FINGERPRINTS|COVERAGE|FEED|RULES|SHADOW|WARMING]
            \tCACHE FLUSH
            \tCACHE INVALIDATE TABLE [<db>] <schema.table>
            \tCACHE INVALIDATE TAG|FINGERPRINT|PATTERN <what>
            \tSHOW SOCKETS|ACTIVE_SOCKETS|LISTS|MEM|STATE
            \tSHOW DNS_HOSTS|DNS_ZONES
            \tSHOW STATS|STATS_TOTALS|STATS_AVERAGES|TOTALS
            \tSET key = arg
            \tRELOAD
            \tPAUSE [<db>]
            \tRESUME [<db>]
            \tDISABLE <db>
            \tENABLE <db>
            \tRECONNECT [<db>]
            \tKILL <db>
            \tKILL_CLIENT <client_id>
            \tSWITCHOVER <host:port>
            \tSHUTDOWN
            \tSHUTDOWN WAIT_FOR_SERVERS|WAIT_FOR_CLIENTS
            \tWAIT_CLOSE [<db>]""";

    private final ProgramControl program;
    private final Clients clients;
    private final ShowTables tables;
    private final RouteTables routeTables;
    private final CacheCommands cacheCommands;
    private final DatabaseCommands databaseCommands;
    private final Switchover switchover;
    private final QueryTables queryTables;
    private final NPlusOneTables nPlusOneTables;

    /** The console; begins to take averages. */
    public AdminConsole(
            ProgramControl program,
            Pools pools,
            ClientServices services,
            Transport transport,
            Warming warming,
            Alerts alerts) {
        this.program = program;
        this.clients = services.clients();
        Routes routes = services.routes();
        var loop = transport.loops().getFirst();
        StatsPeriods periods = new StatsPeriods(pools, () -> program.config().log(), loop);
        this.queryTables = new QueryTables(services.stats(), routes.shapes());
        this.nPlusOneTables = new NPlusOneTables(services.repetitions());
        this.tables = new ShowTables(program, pools, services, transport.names(), warming, alerts, periods);
        this.routeTables = new RouteTables(routes);
        this.cacheCommands = new CacheCommands(routes);
        this.switchover = new Switchover(program, pools, routes);
        this.databaseCommands = new DatabaseCommands(program, pools, clients, loop);
        periods.start();
    }

    @Override
    public CompletionStage<List<ConsoleAnswer>> execute(String text, boolean admin) {
        return next(ConsoleCommand.parse(text), 0, admin, new ArrayList<>());
    }

    /** One after another, until one fails. */
    private CompletionStage<List<ConsoleAnswer>> next(
            List<ConsoleCommand> commands, int index, boolean admin, List<ConsoleAnswer> answers) {
        if (index == commands.size()) {
            return CompletableFuture.completedFuture(answers);
        }
        return run(commands.get(index), admin).thenCompose(said -> {
            answers.addAll(said);
            boolean failed = said.stream().anyMatch(ConsoleAnswer.Failed.class::isInstance);
            return failed ? CompletableFuture.completedFuture(answers) : next(commands, index + 1, admin, answers);
        });
    }

    private CompletionStage<List<ConsoleAnswer>> run(ConsoleCommand command, boolean admin) {
        if (command instanceof ConsoleCommand.Show show) {
            return show(show);
        } else if (command instanceof ConsoleCommand.ShowRoute route) {
            return routeTables.route(route.database(), route.sql()).thenApply(List::of);
        } else if (command instanceof ConsoleCommand.ShowQueries queries) {
            return queryTables.queries(queries);
        } else if (command instanceof ConsoleCommand.ShowNPlusOne findings) {
            return nPlusOneTables.nPlusOnes(findings.limit()).thenApply(List::of);
        } else if (command instanceof ConsoleCommand.Select select) {
            return one(ProgramTables.select(select.expression(), program.version()));
        } else if (command instanceof ConsoleCommand.Nothing) {
            return one(new ConsoleAnswer.Empty());
        } else if (command instanceof ConsoleCommand.Unknown unknown) {
            return one(Failures.unknown(unknown.text()));
        } else if (command instanceof ConsoleCommand.Set set && IGNORED.contains(set.key())) {
            return CompletableFuture.completedFuture(List.of(
                    new ConsoleAnswer.Notice(ErrorFields.notice("SET ignored", null)), new ConsoleAnswer.Done("SET")));
        } else if (!admin) {
            return one(Failures.of(
                    SqlState.INSUFFICIENT_PRIVILEGE,
                    "admin access needed",
                    "Only admin_users may do this; stats_users may use SHOW."));
        }
        LOG.info("console: {}", command);
        return change(command);
    }

    private CompletionStage<List<ConsoleAnswer>> change(ConsoleCommand command) {
        if (command instanceof ConsoleCommand.OnDatabase database) {
            return databaseCommands.execute(database).thenApply(List::of);
        } else if (command instanceof ConsoleCommand.SwitchOver to) {
            return switchover.to(to.host());
        } else if (command instanceof ConsoleCommand.Set set) {
            return set(set);
        } else if (command instanceof ConsoleCommand.Cache cache) {
            return one(cacheCommands.execute(cache.words()));
        } else if (command instanceof ConsoleCommand.ResetQueries) {
            return one(queryTables.reset());
        } else if (command instanceof ConsoleCommand.Reload) {
            return reload();
        } else if (command instanceof ConsoleCommand.KillClient kill) {
            return one(kill(kill.id()));
        } else if (command instanceof ConsoleCommand.Shutdown shutdown) {
            program.shutdown(shutdown.mode());
            return one(new ConsoleAnswer.Done("SHUTDOWN"));
        }
        return one(Failures.of(
                SqlState.FEATURE_NOT_SUPPORTED,
                "SUSPEND is not supported",
                "To hold clients back use PAUSE; to restart without losing clients start a second pgproxy with"
                        + " so_reuseport and use SHUTDOWN WAIT_FOR_CLIENTS here."));
    }

    // ---- SHOW

    private CompletionStage<List<ConsoleAnswer>> show(ConsoleCommand.Show show) {
        if (show.what().equals("help")) {
            return CompletableFuture.completedFuture(List.of(
                    new ConsoleAnswer.Notice(
                            ErrorFields.notice("Console usage", null).withDetail(HELP)),
                    new ConsoleAnswer.Done("SHOW")));
        }
        CompletionStage<ConsoleAnswer> table = tables.show(show.what());
        if (table != null) {
            return table.thenApply(List::of);
        }
        if (show.what().equals("slow")) {
            return one(queryTables.slow()); // says that nothing is counted
        }
        if (show.what().equals("nplusone")) {
            return nPlusOneTables.nPlusOnes(0).thenApply(List::of); // the same
        }
        if (show.what().equals("schema history")) {
            return one(queryTables.schemaHistory()); // as above
        }
        ConsoleAnswer parameter = ProgramTables.parameter(show.what());
        return one(parameter == null ? Failures.unknown(show.text()) : parameter);
    }

    @Override
    public Set<String> tables() {
        return tables.names();
    }

    private static CompletionStage<List<ConsoleAnswer>> one(ConsoleAnswer answer) {
        return CompletableFuture.completedFuture(List.of(answer));
    }

    // ---- changes

    private CompletionStage<List<ConsoleAnswer>> set(ConsoleCommand.Set set) {
        return program.set(set.key(), set.value())
                .handle((config, failure) -> List.of(
                        failure == null
                                ? new ConsoleAnswer.Done("SET " + set.key() + "=" + shown(set.key()))
                                : failed("SET failed", failure)));
    }

    /** As SHOW CONFIG shows it, so that no secret is repeated. */
    private String shown(String key) {
        return program.config().show().stream()
                .filter(setting -> setting.key().equals(key))
                .map(setting -> setting.value())
                .findFirst()
                .orElse("");
    }

    private CompletionStage<List<ConsoleAnswer>> reload() {
        return program.reload().handle((changes, failure) -> {
            List<ConsoleAnswer> answers = new ArrayList<>();
            if (failure != null) {
                answers.add(failed("RELOAD failed, nothing has changed", failure));
                return answers;
            }
            for (ConfigChanges.Change change : changes.needRestart()) {
                answers.add(new ConsoleAnswer.Notice(ErrorFields.notice(
                        change.key() + " stays " + quoted(change.before()) + " until pgproxy is restarted",
                        "The file now says " + quoted(change.after()) + ".")));
            }
            answers.add(new ConsoleAnswer.Done("RELOAD"));
            return answers;
        });
    }

    private static String quoted(String value) {
        return "\"" + value + "\"";
    }

    private static ConsoleAnswer failed(String message, Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        SqlState state = cause instanceof ConfigProblems ? SqlState.CONFIG_FILE_ERROR : SqlState.SYSTEM_ERROR;
        return Failures.detailed(state, message, String.valueOf(cause.getMessage()));
    }

    private ConsoleAnswer kill(String id) {
        long number;
        try {
            number = Long.parseLong(id);
        } catch (NumberFormatException e) {
            return Failures.of("invalid client pointer supplied");
        }
        ClientConnection client = clients.find(number);
        if (client == null) {
            return Failures.of("client not found");
        }
        client.kill(KILLED);
        return new ConsoleAnswer.Done("KILL_CLIENT");
    }
}
