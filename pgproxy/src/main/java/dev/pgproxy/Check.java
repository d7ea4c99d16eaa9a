package dev.pgproxy;

import dev.pgproxy.auth.UserSecret;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.ConfigSource;
import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.ReplicaAddress;
import dev.pgproxy.config.Secret;
import dev.pgproxy.net.ClientTls;
import dev.pgproxy.net.HostNames;
import dev.pgproxy.net.ServerTls;
import dev.pgproxy.net.Transport;
import dev.pgproxy.patroni.Member;
import dev.pgproxy.patroni.PatroniApi;
import dev.pgproxy.pgbouncer.Remark;
import dev.pgproxy.server.Credentials;
import dev.pgproxy.server.ServerTarget;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * {@code pgproxy check}: reads the configuration and every file that it names, logs in to each server as pgproxy would,
 * and prints what is there. Exit codes: 0 all well, 1 a server is not as configured, 78 the configuration is wrong.
 * Confined to the thread that runs it.
 */
@Command(
        name = "check",
        description = "Validates the configuration, connects to its servers and prints what they are.",
        mixinStandardHelpOptions = true)
final class Check implements Callable<Integer> {
    /** The database to look at for the wildcard, which has no name of its own. */
    private static final String ANY_DATABASE = "postgres";

    @Mixin
    private ConfigSource source = new ConfigSource();

    @CommandLine.Spec
    private CommandLine.Model.@Nullable CommandSpec spec;

    private boolean failed;

    @Override
    public Integer call() throws InterruptedException {
        CommandLine line = Objects.requireNonNull(spec).commandLine();
        ProxyConfig config;
        Secrets secrets;
        ServerTls tls;
        try {
            config = source.load(System.getenv());
            secrets = Secrets.read(config);
            tls = ServerTls.of(config.serverTls());
            ClientTls.of(config.clientTls());
        } catch (ConfigProblems e) {
            line.getErr().println(e.getMessage());
            return Main.CONFIGURATION;
        } catch (IOException e) {
            line.getErr().println("pgproxy: " + e.getMessage());
            return Main.CONFIGURATION;
        }
        PrintWriter out = line.getOut();
        out.println("configuration: " + source.description() + " is valid");
        for (Remark remark : source.remarks()) {
            out.println((remark.kind() == Remark.Kind.DIFFERENT ? "  no equivalent: " : "  not needed: ") + remark);
        }
        Map<String, DatabaseSettings> databases = new TreeMap<>(config.databases());
        if (config.wildcard() != null) {
            databases.put(DatabaseSettings.WILDCARD, config.wildcard());
        }
        HostNames names = new HostNames(Runnable::run, config.timeouts().dnsMaxTtl());
        try (Transport transport = new Transport(
                config.runtime(), config.listen(), config.timeouts().tcpUserTimeout(), names)) {
            for (Map.Entry<String, DatabaseSettings> entry : databases.entrySet()) {
                database(entry.getValue(), new Target(config, secrets, tls, transport), out);
            }
        }
        out.flush();
        return failed ? Main.FAILED : 0;
    }

    /** What every look at a server needs. */
    private record Target(ProxyConfig config, Secrets secrets, ServerTls tls, Transport transport) {
        HostLook look(HostAddress host, DatabaseSettings database) throws InterruptedException {
            String name = database.name().equals(DatabaseSettings.WILDCARD) ? ANY_DATABASE : database.name();
            Credentials credentials = new Credentials();
            String user = user(database, credentials);
            HostLook look = HostLook.at(
                    new ServerTarget(
                            host,
                            database.serverDatabase(name),
                            user,
                            Map.of(),
                            credentials,
                            tls,
                            config.timeouts().serverConnectTimeout()),
                    transport);
            return credentials.hasPassword() ? look : look.asStranger();
        }

        /** The database's own user, control_user, or the first user whose plain password is known. */
        private String user(DatabaseSettings database, Credentials credentials) {
            String own =
                    database.user() != null ? database.user() : config.auth().controlUser();
            Secret password = database.user() != null
                    ? database.password()
                    : config.auth().controlPassword();
            if (own != null) {
                String plain = password == null ? plain(own) : password.reveal();
                if (plain != null) {
                    credentials.password(plain);
                }
                return own;
            }
            for (String name : new java.util.TreeSet<>(secrets.users().names())) {
                String plain = plain(name);
                if (plain != null) {
                    credentials.password(plain);
                    return name;
                }
            }
            return ANY_DATABASE;
        }

        private @Nullable String plain(String user) {
            return secrets.users().find(user) instanceof UserSecret.PlainPassword known ? known.password() : null;
        }
    }

    private void database(DatabaseSettings database, Target target, PrintWriter out) throws InterruptedException {
        out.println("database " + database.name() + ":");
        if (!database.patroni().isEmpty()) {
            members(database, target, out);
            return;
        }
        HostLook primary = target.look(database.primary(), database);
        show("primary", database.primary(), primary, primary, out);
        for (ReplicaAddress replica : database.replicas()) {
            show("replica", replica.address(), target.look(replica.address(), database), primary, out);
        }
    }

    /** As the members say now: who leads first. */
    private void members(DatabaseSettings database, Target target, PrintWriter out) throws InterruptedException {
        PatroniApi.Told told;
        try (PatroniApi api =
                new PatroniApi(database.patroni(), target.config().serverTls().caFile())) {
            told = api.ask();
        } catch (IOException e) {
            failed = true;
            out.println("  patroni: FAILED " + e.getMessage());
            return;
        }
        out.println(
                "  patroni: ok, " + told.by() + " tells of " + told.members().size() + " members");
        Member leader =
                told.members().stream().filter(Member::isLeader).findFirst().orElse(null);
        if (leader == null) {
            failed = true;
            out.println("  patroni: FAILED none of them is the leader");
            return;
        }
        HostLook primary = target.look(leader.address(), database);
        show("primary", leader.address(), primary, primary, out);
        for (Member member : told.members()) {
            if (!member.equals(leader)) {
                show("replica", member.address(), target.look(member.address(), database), primary, out);
            }
        }
    }

    private void show(String role, HostAddress host, HostLook look, HostLook primary, PrintWriter out) {
        StringBuilder text = new StringBuilder("  " + role + " " + host + ": ");
        if (look.stranger()) {
            text.append("reachable, but no password is known to log in with;"
                    + " set control_user and control_password to check its role");
        } else if (look.failure() != null) {
            failed = true;
            text.append("FAILED ")
                    .append(look.failure().code())
                    .append(' ')
                    .append(look.failure().message());
            if (look.failure().hint() != null) {
                text.append(" (").append(look.failure().hint()).append(')');
            }
        } else {
            boolean wrong = look.replica() != role.equals("replica");
            failed |= wrong;
            text.append(wrong ? "WRONG ROLE, " : "ok, ")
                    .append("PostgreSQL ")
                    .append(look.version())
                    .append(look.replica() ? ", a replica" : ", a primary");
            if (look.replica() && primary.failure() == null && !primary.replica()) {
                text.append(", ")
                        .append(Math.max(0, primary.position() - look.position()))
                        .append(" bytes behind");
            }
            text.append(", answered in ").append(look.millis()).append(" ms");
            if (wrong) {
                text.append(
                        look.replica()
                                ? "; name the server that it replicates from as primary"
                                : "; it is not in recovery: take it out of replicas, or make it one");
            }
        }
        out.println(text);
    }
}
