package dev.pgproxy.config;

import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * The blocks of a file: the general settings, databases, users, peers, rules, queries of the cache, who is told of alerts.
 * Confined to the thread that loads.
 */
final class Blocks {
    private static final List<String> INNER = List.of(
            "databases",
            "users",
            "peers",
            "cache_rules",
            "statement_rules",
            "cache_warm",
            "alert_webhooks",
            "alert_smtp");

    private final ConfigObject root;
    private final BlockReader reader;
    private final Complaints complaints;

    Blocks(ConfigObject root, BlockReader reader, Complaints complaints) {
        this.root = root;
        this.reader = reader;
        this.complaints = complaints;
    }

    ProxyConfig read() {
        SettingValues general = reader.read(root, "", Settings.GENERAL, INNER);
        return ProxyConfig.of(
                general,
                databases(),
                users(),
                new RuleBlocks(
                        rules("cache_rules", CacheRule.GROUP, CacheRule::problem, CacheRule::from),
                        rules("statement_rules", StatementRule.GROUP, StatementRule::problem, StatementRule::from)),
                warmQueries(),
                new AlertTargets(webhooks(), smtp()),
                peers(general.get(PeerSettings.PEER_ID)));
    }

    private Map<String, DatabaseSettings> databases() {
        Map<String, DatabaseSettings> databases = new TreeMap<>();
        reader.inner(root, "", "databases").forEach((name, value) -> {
            ConfigObject block = reader.object(value, "databases." + name);
            if (block != null) {
                readDatabase(name, block, databases);
            }
        });
        return databases;
    }

    private void readDatabase(String name, ConfigObject block, Map<String, DatabaseSettings> databases) {
        String path = "databases." + name + ".";
        Place place = Place.of(block.origin());
        List<Setting<?>> known = DatabaseSettings.GROUP.settings();
        SettingValues values = reader.read(block, path, known, List.of(DatabaseSettings.PARAMETERS));
        Map<String, String> parameters = parameters(block, path, DatabaseSettings.PARAMETERS);
        if (DatabaseSettings.CONSOLE_NAMES.contains(name)) {
            complaints.add(place, "databases." + name + ": the name belongs to the console");
        }
        boolean told = !values.get(DatabaseSettings.PATRONI).isEmpty();
        if (told
                && (values.has(DatabaseSettings.PRIMARY)
                        || !values.get(DatabaseSettings.REPLICAS).isEmpty())) {
            complaints.add(
                    values.place(DatabaseSettings.PATRONI, place),
                    path + "patroni: its members tell the hosts; leave primary and replicas out");
        }
        if (!told && values.find(DatabaseSettings.PRIMARY) == null) {
            boolean isWrong =
                    block.containsKey(DatabaseSettings.PATRONI.key()) && !values.has(DatabaseSettings.PATRONI);
            if (!block.containsKey(DatabaseSettings.PRIMARY.key()) && !isWrong) {
                complaints.add(place, path + "primary is missing, write primary = \"host:port\"");
            }
            return;
        }
        if (values.has(DatabaseSettings.PASSWORD) && !values.has(DatabaseSettings.USER)) {
            complaints.add(values.place(DatabaseSettings.PASSWORD, place), path + "password: needs user");
        }
        databases.put(name, DatabaseSettings.from(name, values, parameters));
    }

    /** A block whose names and values are PostgreSQL's. */
    private Map<String, String> parameters(ConfigObject block, String path, String key) {
        Map<String, String> parameters = new TreeMap<>();
        reader.inner(block, path, key).forEach((name, value) -> {
            String text = reader.text(value, path + key + "." + name);
            if (text != null) {
                parameters.put(name, text);
            }
        });
        return parameters;
    }

    private Map<String, UserSettings> users() {
        Map<String, UserSettings> users = new TreeMap<>();
        reader.inner(root, "", "users").forEach((name, value) -> {
            ConfigObject block = reader.object(value, "users." + name);
            if (block != null) {
                SettingValues values =
                        reader.read(block, "users." + name + ".", UserSettings.GROUP.settings(), List.of());
                users.put(name, UserSettings.from(name, values));
            }
        });
        return users;
    }

    /** In the order in which they are tried. */
    private <T> List<T> rules(
            String key,
            SettingGroup group,
            BiFunction<SettingValues, Set<String>, @Nullable String> problem,
            BiFunction<String, SettingValues, T> made) {
        List<T> rules = new ArrayList<>();
        reader.inner(root, "", key).forEach((name, value) -> {
            String path = key + "." + name;
            ConfigObject block = reader.object(value, path);
            if (block != null) {
                SettingValues values = reader.read(block, path + ".", group.settings(), List.of());
                String wrong = problem.apply(values, block.keySet());
                if (wrong != null) {
                    complaints.add(Place.of(block.origin()), path + ": " + wrong);
                }
                rules.add(made.apply(name, values));
            }
        });
        return rules;
    }

    private List<WarmQuery> warmQueries() {
        List<WarmQuery> queries = new ArrayList<>();
        reader.inner(root, "", "cache_warm").forEach((name, value) -> {
            String path = "cache_warm." + name;
            ConfigObject block = reader.object(value, path);
            if (block != null) {
                SettingValues values =
                        reader.read(block, path + ".", WarmQuery.GROUP.settings(), List.of(WarmQuery.SETTINGS));
                Map<String, String> settings = parameters(block, path + ".", WarmQuery.SETTINGS);
                String problem = WarmQuery.problem(values, settings);
                if (problem != null) {
                    complaints.add(Place.of(block.origin()), path + ": " + problem);
                } else {
                    queries.add(WarmQuery.from(name, values, settings));
                }
            }
        });
        return queries;
    }

    private List<WebhookSettings> webhooks() {
        List<WebhookSettings> webhooks = new ArrayList<>();
        reader.inner(root, "", "alert_webhooks").forEach((name, value) -> {
            String path = "alert_webhooks." + name;
            ConfigObject block = reader.object(value, path);
            if (block != null) {
                int before = complaints.size();
                SettingValues values = reader.read(block, path + ".", WebhookSettings.GROUP.settings(), List.of());
                String problem = WebhookSettings.problem(values);
                if (complaints.size() == before && problem != null) {
                    complaints.add(Place.of(block.origin()), path + ": " + problem);
                } else if (problem == null) {
                    webhooks.add(WebhookSettings.from(name, values));
                }
            }
        });
        return webhooks;
    }

    private @Nullable SmtpSettings smtp() {
        ConfigValue value = root.get("alert_smtp");
        ConfigObject block =
                value == null || value.valueType() == ConfigValueType.NULL ? null : reader.object(value, "alert_smtp");
        if (block == null || block.isEmpty()) {
            return null;
        }
        int before = complaints.size();
        SettingValues values = reader.read(block, "alert_smtp.", SmtpSettings.GROUP.settings(), List.of());
        if (complaints.size() > before) {
            return null;
        }
        String problem = SmtpSettings.problem(values);
        if (problem != null) {
            complaints.add(Place.of(block.origin()), "alert_smtp: " + problem);
            return null;
        }
        return SmtpSettings.from(values);
    }

    private Map<Integer, HostAddress> peers(int own) {
        Map<Integer, HostAddress> peers = new TreeMap<>();
        reader.inner(root, "", "peers").forEach((id, value) -> {
            readPeer(id, value, peers);
            if (own == 0) {
                complaints.add(Place.of(value.origin()), "peers." + id + ": this instance needs a peer_id, too");
            }
        });
        peers.remove(own); // all instances may have the same file
        return peers;
    }

    private void readPeer(String id, ConfigValue value, Map<Integer, HostAddress> peers) {
        String text = reader.text(value, "peers." + id);
        if (text == null) {
            return;
        }
        try {
            int number = Integer.parseInt(id);
            if (number < 1 || number > PeerSettings.MAX_PEER_ID) {
                throw new NumberFormatException();
            }
            peers.put(number, HostAddress.parse(text));
        } catch (NumberFormatException e) {
            complaints.add(
                    Place.of(value.origin()),
                    "peers." + id + ": a peer's id is a whole number between 1 and " + PeerSettings.MAX_PEER_ID);
        } catch (IllegalArgumentException e) {
            complaints.add(Place.of(value.origin()), "peers." + id + ": " + e.getMessage());
        }
    }
}
