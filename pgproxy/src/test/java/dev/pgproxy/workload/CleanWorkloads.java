package dev.pgproxy.workload;

import dev.pgproxy.testing.RawClient;
import dev.pgproxy.workload.App.Driver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Applications without N+1, which may look as if. Stateless. */
public final class CleanWorkloads {
    private static final String LIST =
            "select id, customer_id, status from orders where status = ? order by id limit 20";
    private static final String DETAIL = "select id, name from customers where id = ?";

    private CleanWorkloads() {}

    /** All of them. */
    public static List<Workload> all() {
        return List.of(
                joinFetch(),
                batchFetch(),
                inLists(),
                inLiterals(),
                preload(),
                dataLoader(),
                offsetPages(),
                prismaPages(),
                keysetPages(),
                keysetTuple(),
                keysetWords(),
                findEach(),
                bulkInsert(),
                rowByRow(),
                getOrCreate(),
                readModifyWrite(),
                sequence(),
                workQueue(),
                poll(),
                requests(),
                requestsInTransactions(),
                healthChecks(),
                pipeline(),
                retries(),
                migration(),
                introspection(),
                tiles(),
                months(),
                sameValues(),
                smallList());
    }

    private static void pause() {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(150));
    }

    private static Workload joinFetch() {
        return Workload.clean("hibernate join fetch", Driver.NAMED, app -> {
            for (int i = 0; i < 8; i++) {
                app.begin();
                app.read(
                        "select o1_0.id,i1_0.id from orders o1_0 left join items i1_0 on o1_0.id=i1_0.order_id where o1_0.customer_id=?",
                        i);
                app.commit();
            }
        });
    }

    private static Workload batchFetch() {
        return Workload.clean("hibernate batch fetch", Driver.NAMED, app -> {
            app.begin();
            List<Long> orders = app.ids("select id from orders order by id limit 60");
            for (int i = 0; i < 60; i += 10) {
                app.read(
                        "select i1_0.order_id,i1_0.id from items i1_0 where i1_0.order_id = any (?::int[])",
                        orders.subList(i, i + 10).toString().replace('[', '{').replace(']', '}'));
            }
            app.commit();
        });
    }

    private static Workload inLists() {
        return Workload.clean("hibernate padded lists", Driver.NAMED, app -> {
            app.begin();
            List<Long> orders = app.ids("select id from orders order by id limit 32");
            for (int i = 0; i < 32; i += 4) {
                app.read(
                        "select i1_0.order_id,i1_0.id from items i1_0 where i1_0.order_id in (?,?,?,?)",
                        orders.subList(i, i + 4).toArray());
            }
            app.commit();
        });
    }

    private static Workload inLiterals() {
        return Workload.clean("django chunks of keys", Driver.SIMPLE, app -> {
            List<Long> orders = app.ids("SELECT \"orders\".\"id\" FROM \"orders\" LIMIT 30");
            for (int i = 0; i < 30; i += 3) {
                app.read(
                        "SELECT \"items\".\"id\" FROM \"items\" WHERE \"items\".\"order_id\" IN (?, ?, ?)",
                        orders.subList(i, i + 3).toArray());
            }
        });
    }

    private static Workload preload() {
        return Workload.clean("rails preload", Driver.UNNAMED, app -> {
            for (int page = 0; page < 7; page++) {
                List<Long> posts = app.ids(
                        "SELECT \"posts\".* FROM \"posts\" WHERE \"posts\".\"author_id\" > ? ORDER BY \"posts\".\"id\" ASC LIMIT ?",
                        page,
                        3);
                app.read(
                        "SELECT \"comments\".* FROM \"comments\" WHERE \"comments\".\"post_id\" IN (?, ?, ?)",
                        posts.toArray());
            }
        });
    }

    private static Workload dataLoader() {
        return Workload.clean("prisma dataloader", Driver.UNNAMED, app -> {
            app.read("SELECT \"posts\".\"id\" FROM \"posts\" LIMIT ?", 20);
            for (int size = 2; size < 10; size++) {
                List<Long> keys = new ArrayList<>();
                for (long key = 1; key <= size; key++) {
                    keys.add(key + size);
                }
                app.read(
                        "SELECT \"users\".\"id\" FROM \"users\" WHERE \"users\".\"id\" IN (" + "?,".repeat(size - 1)
                                + "?)",
                        keys.toArray());
            }
        });
    }

    private static Workload offsetPages() {
        return Workload.clean("pages by offset", Driver.SIMPLE, app -> {
            app.read("SELECT id FROM orders ORDER BY id LIMIT 25");
            for (int page = 0; page < 8; page++) {
                app.read("SELECT * FROM visits WHERE page = '/' ORDER BY id LIMIT 20 OFFSET " + 20 * page);
            }
        });
    }

    private static Workload prismaPages() {
        return Workload.clean("prisma skip and take", Driver.NAMED, app -> {
            app.begin();
            app.read("SELECT \"public\".\"users\".\"id\" FROM \"public\".\"users\" WHERE 1=1 LIMIT ? OFFSET ?", 20, 0);
            for (int page = 0; page < 8; page++) {
                app.read(
                        "SELECT \"public\".\"visits\".\"id\" FROM \"public\".\"visits\" WHERE \"public\".\"visits\".\"page\" = ? LIMIT ? OFFSET ?",
                        "/",
                        10,
                        10 * page);
            }
            app.commit();
        });
    }

    private static Workload keysetPages() {
        return Workload.clean("pages by key", Driver.NAMED, app -> {
            app.begin();
            app.read("select id from users");
            long last = 0;
            for (List<Long> page = List.of(0L); !page.isEmpty(); ) {
                page = app.ids("select id, page from visits where id > ? order by id limit 50", last);
                last = page.isEmpty() ? last : page.getLast();
            }
            app.commit();
        });
    }

    private static Workload keysetTuple() {
        return Workload.clean("pages by two keys", Driver.NAMED, app -> {
            app.begin();
            app.read("select id from users");
            for (long id = 0; id < 500; id += 50) {
                app.read("select id from visits where (page, id) > (?, ?) order by page, id limit 50", "/", id);
            }
            app.commit();
        });
    }

    private static Workload keysetWords() {
        return Workload.clean("pages by key, spelt out", Driver.SIMPLE, app -> {
            app.begin();
            app.read("SELECT id FROM users");
            for (int id = 0; id < 500; id += 50) {
                app.read("SELECT id FROM visits WHERE id > 0 AND (page > 'p" + id + "' OR page = 'p" + id
                        + "' AND id > " + id + ") ORDER BY page, id LIMIT 50");
            }
            app.commit();
        });
    }

    private static Workload findEach() {
        return Workload.clean("rails find_each", Driver.NAMED, app -> {
            app.read("SELECT \"users\".* FROM \"users\" LIMIT ?", 30);
            for (int id = 0; id < 200; id += 20) {
                app.read(
                        "SELECT \"orders\".* FROM \"orders\" WHERE \"orders\".\"id\" > ? ORDER BY \"orders\".\"id\" ASC LIMIT ?",
                        id,
                        20);
            }
        });
    }

    private static Workload bulkInsert() {
        return Workload.clean("jdbc batch", Driver.NAMED, app -> {
            app.begin();
            app.batch("insert into exported (id) values (?)", app.ids("select id from orders limit 30"));
            app.commit();
        });
    }

    private static Workload rowByRow() {
        return Workload.clean("inserts row by row", Driver.NAMED, app -> {
            app.begin();
            for (long order : app.ids("select id from orders limit 30")) {
                app.write("insert into exported (id) values (?)", order);
            }
            app.commit();
        });
    }

    private static Workload getOrCreate() {
        return Workload.clean("django get_or_create", Driver.SIMPLE, app -> {
            app.begin();
            app.write("DELETE FROM \"imported\"");
            app.read("SELECT \"users\".\"id\" FROM \"users\" LIMIT 12");
            for (int i = 0; i < 12; i++) {
                app.read(
                        "SELECT \"imported\".\"key\" FROM \"imported\" WHERE \"imported\".\"key\" = ? LIMIT 21",
                        "row" + i);
                app.write("INSERT INTO \"imported\" (\"key\", \"value\") VALUES (?, ?)", "row" + i, i);
            }
            app.commit();
        });
    }

    private static Workload readModifyWrite() {
        return Workload.clean("read, change, write", Driver.NAMED, app -> {
            app.begin();
            for (long job : app.ids("select id from jobs where state = 'new' order by id limit 10")) {
                app.read("select id, state from jobs where id = ?", job);
                app.write("update jobs set state = ? where id = ?", "new", job);
            }
            app.commit();
        });
    }

    private static Workload sequence() {
        return Workload.clean("hibernate sequence", Driver.NAMED, app -> {
            app.begin();
            app.read("select id from users limit 20");
            for (int i = 0; i < 10; i++) {
                app.read("select nextval('numbers')");
            }
            app.commit();
        });
    }

    private static Workload workQueue() {
        return Workload.clean("work queue", Driver.NAMED, app -> {
            app.read("select id from users limit 20");
            for (int i = 0; i < 12; i++) {
                app.begin();
                List<Long> job =
                        app.ids("select id from jobs where state = 'new' order by id limit 1 for update skip locked");
                app.read("select state from jobs where id = ?", job.getFirst() + i);
                app.write("update jobs set state = 'new' where id = ?", job.getFirst());
                app.commit();
            }
        });
    }

    private static Workload poll() {
        return Workload.clean("polling in turns", Driver.NAMED, app -> {
            List<Long> jobs = app.ids("select id from jobs order by id limit 7");
            for (long job : jobs) {
                app.read("select state from jobs where id = ?", job);
                pause();
            }
        });
    }

    private static Workload requests() {
        return Workload.clean("requests of many users", Driver.UNNAMED, app -> {
            for (int request = 0; request < 40; request++) {
                app.read("select user_id from sessions where key = ?", "key" + (request % 40 + 1));
                app.read("select id, name from users where id = ?", request % 40 + 1);
                if (request == 3) {
                    app.read(LIST, "open");
                } else {
                    app.read(DETAIL, request % 40);
                }
            }
        });
    }

    private static Workload requestsInTransactions() {
        return Workload.clean("requests in transactions", Driver.NAMED, app -> {
            for (int request = 0; request < 20; request++) {
                app.begin();
                if (request % 7 == 0) {
                    app.read(LIST, "open");
                }
                app.read(DETAIL, request);
                app.read("select name from users where id = ?", request);
                app.commit();
            }
        });
    }

    private static Workload healthChecks() {
        return Workload.clean("health checks", Driver.SIMPLE, app -> {
            app.read("SELECT id FROM orders LIMIT 20");
            for (int i = 0; i < 20; i++) {
                app.read("SELECT 1");
                app.read("SELECT " + i);
                app.write("SET statement_timeout = " + (1000 + i));
                app.read("SHOW statement_timeout");
            }
        });
    }

    private static Workload pipeline() {
        return Workload.clean("pipeline", Driver.UNNAMED, app -> {
            try (RawClient client = app.raw()) {
                client.query("SELECT id FROM orders LIMIT 20").readUntilReady();
                client.batch(messages -> {
                    for (int i = 1; i <= 20; i++) {
                        messages.parse("", "SELECT id FROM items WHERE order_id = $1")
                                .bind("", "", Integer.toString(i))
                                .execute("")
                                .sync();
                    }
                });
                client.readUntilReady(20);
                client.batch(messages -> {
                    for (int i = 1; i <= 20; i++) {
                        messages.parse("", "SELECT id FROM items WHERE product_id = $1")
                                .bind("", "", Integer.toString(i))
                                .execute("");
                    }
                    messages.sync();
                });
                client.readUntilReady();
            }
        });
    }

    private static Workload retries() {
        return Workload.clean("retries", Driver.NAMED, app -> {
            app.begin();
            app.read("select id from orders limit 10");
            for (int i = 0; i < 8; i++) {
                app.fails("select id / (id - id) from customers where id = ?", i + 1);
            }
            app.commit();
        });
    }

    private static Workload migration() {
        return Workload.clean("migration", Driver.SIMPLE, app -> {
            app.begin();
            List<Long> posts = app.ids("SELECT id FROM posts LIMIT 8");
            for (long post : posts) {
                app.read("SELECT id FROM comments WHERE post_id = ?", post);
                app.write("CREATE TEMP TABLE step" + post + " (id int) ON COMMIT DROP");
            }
            app.commit();
        });
    }

    private static Workload introspection() {
        return Workload.clean("driver looks at tables", Driver.SIMPLE, app -> {
            app.begin();
            app.read("SELECT oid FROM pg_class WHERE relkind = 'r' LIMIT 12");
            for (String table : List.of(
                    "users",
                    "posts",
                    "comments",
                    "labels",
                    "audits",
                    "visits",
                    "jobs",
                    "items",
                    "orders",
                    "options",
                    "products",
                    "customers")) {
                app.read("SELECT attrelid FROM pg_attribute a WHERE a.attrelid = ?::regclass AND a.attnum > 0", table);
            }
            app.commit();
        });
    }

    private static Workload tiles() {
        return Workload.clean("dashboard by status", Driver.NAMED, app -> {
            app.begin();
            app.read("select id, status from orders order by id desc limit 20");
            for (String status : List.of("open", "paid", "sent", "lost", "back", "done")) {
                app.read("select count(*) from orders where status = ?", status);
            }
            app.commit();
        });
    }

    private static Workload months() {
        return Workload.clean("dashboard by month", Driver.NAMED, app -> {
            app.begin();
            app.read("select id from users limit 12");
            for (int month = 1; month <= 12; month++) {
                app.read(
                        "select count(*) from visits where at >= make_date(2026, ?, 1) and at < make_date(2026, ?, 28)",
                        month,
                        month);
            }
            app.commit();
        });
    }

    private static Workload sameValues() {
        return Workload.clean("the same option again", Driver.NAMED, app -> {
            app.begin();
            for (long ignored : app.ids("select id from posts limit 10")) {
                app.read("select value from options where name = ?", "option1");
            }
            app.commit();
        });
    }

    private static Workload smallList() {
        return Workload.clean("a few of a few", Driver.NAMED, app -> {
            app.begin();
            for (long order : app.ids("select id, customer_id from orders order by id limit 3")) {
                app.read(DETAIL, order);
            }
            app.commit();
        });
    }
}
