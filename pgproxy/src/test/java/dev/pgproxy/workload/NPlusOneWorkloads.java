package dev.pgproxy.workload;

import dev.pgproxy.workload.App.Driver;
import dev.pgproxy.workload.Workload.Expected;
import java.util.List;

/** Applications with N+1, in the statements that ORMs send. Stateless. */
public final class NPlusOneWorkloads {
    private static final String HIBERNATE_ORDERS =
            "select o1_0.id,o1_0.customer_id,o1_0.status from orders o1_0 where o1_0.status=? order by o1_0.id fetch first ? rows only";
    private static final String HIBERNATE_ITEMS =
            "select i1_0.order_id,i1_0.id,i1_0.product_id from items i1_0 where i1_0.order_id=?";
    private static final String HIBERNATE_CUSTOMER =
            "select c1_0.id,c1_0.address_id,c1_0.name from customers c1_0 where c1_0.id=?";

    private static final String DJANGO_POSTS =
            "SELECT \"posts\".\"id\", \"posts\".\"author_id\", \"posts\".\"title\" FROM \"posts\" ORDER BY \"posts\".\"id\" DESC LIMIT 20";
    private static final String DJANGO_USER =
            "SELECT \"users\".\"id\", \"users\".\"name\" FROM \"users\" WHERE \"users\".\"id\" = ? LIMIT 21";

    private static final String RAILS_POSTS =
            "SELECT \"posts\".* FROM \"posts\" ORDER BY \"posts\".\"title\" ASC LIMIT ?";
    private static final String RAILS_USER = "SELECT \"users\".* FROM \"users\" WHERE \"users\".\"id\" = ? LIMIT ?";

    private NPlusOneWorkloads() {}

    private static Workload of(String name, Driver driver, String child, String parent, Workload.Script script) {
        return new Workload(name, driver, List.of(new Expected(child, parent)), script);
    }

    /** All of them. */
    public static List<Workload> all() {
        return List.of(
                hibernateCollection(),
                hibernateManyToOne(),
                hibernateNested(),
                hibernateOpenInView(),
                hibernateChain(),
                djangoForeignKey(),
                djangoSavepoints(),
                djangoCount(),
                railsAnnotated(),
                railsTwo(),
                railsSimple(),
                sqlAlchemy(),
                prisma(),
                typeOrm(),
                job(),
                idsThenRows(),
                noForeignKey(),
                noName(),
                streamed(),
                cursor(),
                rawSimple(),
                severalSessions());
    }

    private static Workload hibernateCollection() {
        return of("hibernate lazy collection", Driver.NAMED, "from items", "from orders", app -> {
            app.begin();
            for (long order : app.ids(HIBERNATE_ORDERS, "open", 10)) {
                app.read(HIBERNATE_ITEMS, order);
            }
            app.commit();
        });
    }

    private static Workload hibernateManyToOne() {
        return of("hibernate eager many-to-one", Driver.NAMED, "from customers", "from orders", app -> {
            app.begin();
            app.read("select u1_0.id,u1_0.name from users u1_0 where u1_0.id=?", 7);
            for (long order : app.ids(HIBERNATE_ORDERS, "open", 8)) {
                app.read(HIBERNATE_CUSTOMER, order + 1);
            }
            app.commit();
        });
    }

    private static Workload hibernateNested() {
        return new Workload(
                "hibernate two levels",
                Driver.NAMED,
                List.of(new Expected("from items", "from orders"), new Expected("from products", "from items")),
                app -> {
                    app.begin();
                    long product = 0;
                    for (long order : app.ids(HIBERNATE_ORDERS, "open", 12)) {
                        for (long item : app.ids(HIBERNATE_ITEMS, order)) {
                            app.read(
                                    "select p1_0.id,p1_0.name from products p1_0 where p1_0.id=?",
                                    ++product % 60 + item * 0);
                        }
                    }
                    app.commit();
                });
    }

    private static Workload hibernateOpenInView() {
        return of("hibernate open in view", Driver.NAMED, "from items", "from orders", app -> {
            app.begin();
            List<Long> orders = app.ids(HIBERNATE_ORDERS, "open", 10);
            app.commit();
            for (long order : orders) {
                app.read(HIBERNATE_ITEMS, order);
            }
        });
    }

    private static Workload hibernateChain() {
        return new Workload(
                "hibernate chain of two",
                Driver.UNNAMED,
                List.of(
                        new Expected("from customers", "from orders"),
                        new Expected("from addresses", "from customers")),
                app -> {
                    app.begin();
                    for (long order : app.ids(HIBERNATE_ORDERS, "open", 9)) {
                        app.read(HIBERNATE_CUSTOMER, order);
                        app.read("select a1_0.id,a1_0.street from addresses a1_0 where a1_0.id=?", order);
                    }
                    app.commit();
                });
    }

    private static Workload djangoForeignKey() {
        return of("django foreign key", Driver.SIMPLE, "FROM \"users\"", "FROM \"posts\"", app -> {
            app.read("SELECT \"sessions\".\"user_id\" FROM \"sessions\" WHERE \"sessions\".\"key\" = ?", "key3");
            for (long post : app.ids(DJANGO_POSTS)) {
                app.read(DJANGO_USER, 1 + post * 7 % 40);
            }
        });
    }

    private static Workload djangoSavepoints() {
        return of("django atomic with savepoints", Driver.SIMPLE, "FROM \"comments\"", "FROM \"posts\"", app -> {
            app.begin();
            for (long post : app.ids(DJANGO_POSTS)) {
                app.savepoint("s1");
                app.read(
                        "SELECT \"comments\".\"id\", \"comments\".\"body\" FROM \"comments\" WHERE \"comments\".\"post_id\" = ?",
                        post);
                app.release("s1");
            }
            app.commit();
        });
    }

    private static Workload djangoCount() {
        return of("django count in template", Driver.SIMPLE, "COUNT(*)", "FROM \"posts\"", app -> {
            for (long post : app.ids(DJANGO_POSTS)) {
                app.read("SELECT COUNT(*) AS \"__count\" FROM \"comments\" WHERE \"comments\".\"post_id\" = ?", post);
            }
        });
    }

    private static Workload railsAnnotated() {
        String comment = " /*action='index',controller='posts',file='app%2Fviews%2Fposts.erb'*/";
        return of("rails belongs_to with tags", Driver.NAMED, "FROM \"users\"", "FROM \"posts\"", app -> {
            for (long post : app.ids(RAILS_POSTS + comment, 15)) {
                app.read(RAILS_USER + comment, 1 + post * 7 % 40, 1);
            }
        });
    }

    private static Workload railsTwo() {
        return new Workload(
                "rails two associations",
                Driver.UNNAMED,
                List.of(
                        new Expected("FROM \"users\"", "FROM \"posts\""),
                        new Expected("FROM \"comments\"", "FROM \"posts\"")),
                app -> {
                    for (long post : app.ids(RAILS_POSTS, 12)) {
                        app.read(RAILS_USER, 1 + post * 7 % 40, 1);
                        app.read(
                                "SELECT \"comments\".* FROM \"comments\" WHERE \"comments\".\"post_id\" = ? ORDER BY \"comments\".\"id\" DESC LIMIT ?",
                                post,
                                1);
                    }
                });
    }

    private static Workload railsSimple() {
        return of("rails without prepared statements", Driver.SIMPLE, "FROM \"comments\"", "FROM \"posts\"", app -> {
            int request = 0;
            for (long post : app.ids(RAILS_POSTS + " /*traceparent='00-1-1-01'*/", 10)) {
                app.read(
                        "SELECT \"comments\".* FROM \"comments\" WHERE \"comments\".\"post_id\" = ? /*traceparent='00-"
                                + ++request + "-2-01'*/",
                        post);
            }
        });
    }

    /** It writes the value before the column. */
    private static Workload sqlAlchemy() {
        return of("sqlalchemy lazy relationship", Driver.SIMPLE, "FROM comments", "FROM posts", app -> {
            app.begin();
            for (long post : app.ids("SELECT posts.id, posts.title FROM posts ORDER BY posts.id LIMIT ?", 6)) {
                app.read(
                        "SELECT comments.id AS comments_id, comments.body AS comments_body FROM comments"
                                + " WHERE ? = comments.post_id ORDER BY comments.id",
                        post);
            }
            app.commit();
        });
    }

    private static Workload prisma() {
        return of("prisma findUnique in a loop", Driver.NAMED, "\"public\".\"users\"", "\"public\".\"posts\"", app -> {
            app.begin();
            List<Long> posts = app.ids(
                    "SELECT \"public\".\"posts\".\"id\", \"public\".\"posts\".\"author_id\" FROM \"public\".\"posts\""
                            + " WHERE 1=1 ORDER BY \"public\".\"posts\".\"id\" ASC LIMIT ? OFFSET ?",
                    10,
                    0);
            for (long post : posts) {
                app.read(
                        "SELECT \"public\".\"users\".\"id\", \"public\".\"users\".\"name\" FROM \"public\".\"users\""
                                + " WHERE (\"public\".\"users\".\"id\" = ? AND 1=1) LIMIT ? OFFSET ?",
                        1 + post * 7 % 40,
                        1,
                        0);
            }
            app.commit();
        });
    }

    private static Workload typeOrm() {
        return of("typeorm lazy relation", Driver.UNNAMED, "FROM \"items\"", "FROM \"orders\"", app -> {
            List<Long> orders = app.ids(
                    "SELECT \"Order\".\"id\" AS \"Order_id\", \"Order\".\"status\" AS \"Order_status\" FROM \"orders\" \"Order\""
                            + " WHERE \"Order\".\"status\" = ? ORDER BY \"Order_id\" ASC LIMIT 10",
                    "open");
            for (long order : orders) {
                app.read(
                        "SELECT \"items\".\"id\" AS \"items_id\" FROM \"items\" \"items\" WHERE \"items\".\"order_id\" IN (?)",
                        order);
            }
        });
    }

    private static Workload job() {
        return of("job in one transaction", Driver.NAMED, "from customers", "from orders", app -> {
            app.begin();
            for (long order :
                    app.ids("select id, customer_id from orders where status = ? order by id limit 40", "open")) {
                app.read("select name from customers where id = ?", order % 40);
                app.write("insert into exported values (?, ?)", order, 1);
            }
            app.commit();
        });
    }

    private static Workload idsThenRows() {
        return of("ids, then each row", Driver.UNNAMED, "from posts where id", "select id from posts", app -> {
            app.begin();
            for (long post : app.ids("select id from posts order by title")) {
                app.read("select id, title from posts where id = ?", post);
            }
            app.commit();
        });
    }

    private static Workload noForeignKey() {
        return of("no foreign key, a column's name", Driver.NAMED, "from labels", "from posts", app -> {
            app.begin();
            for (long post : app.ids("select id, title from posts order by id limit 12")) {
                app.read("select word from labels where post_id = ?", post);
            }
            app.commit();
        });
    }

    private static Workload noName() {
        return of("neither key nor name", Driver.NAMED, "from audits", "from posts", app -> {
            app.begin();
            app.read("select id, name from users order by id limit 3");
            for (long post : app.ids("select id, title from posts order by id limit 14")) {
                app.read("select what from audits where subject = ?", post);
            }
            app.commit();
        });
    }

    private static Workload streamed() {
        return of("rows fetched in parts", Driver.NAMED, "from items", "from orders", app -> {
            app.begin();
            app.streamed("select id from orders order by id limit 30", 10, order -> app.read(HIBERNATE_ITEMS, order));
            app.commit();
        });
    }

    private static Workload cursor() {
        return of("django server-side cursor", Driver.SIMPLE, "FROM \"comments\"", "FROM \"posts\"", app -> {
            app.begin();
            app.write("DECLARE \"c1\" NO SCROLL CURSOR FOR SELECT \"posts\".\"id\" FROM \"posts\"");
            for (List<Long> ids = app.ids("FETCH FORWARD 10 FROM \"c1\"");
                    !ids.isEmpty();
                    ids = app.ids("FETCH FORWARD 10 FROM \"c1\"")) {
                for (long post : ids) {
                    app.read("SELECT \"comments\".\"body\" FROM \"comments\" WHERE \"comments\".\"post_id\" = ?", post);
                }
            }
            app.write("CLOSE \"c1\"");
            app.commit();
        });
    }

    private static Workload rawSimple() {
        return of("php with texts", Driver.SIMPLE, "WHERE customer_id", "FROM customers", app -> {
            for (long customer : app.ids("SELECT * FROM customers ORDER BY name LIMIT 10")) {
                app.read("SELECT * FROM orders WHERE customer_id = " + customer + " ORDER BY id DESC LIMIT 3");
            }
        });
    }

    private static Workload severalSessions() {
        return of("several sessions at once", Driver.UNNAMED, "from items", "from orders", app -> {
            try (App other = app.another()) {
                app.begin();
                other.begin();
                List<Long> orders = app.ids(HIBERNATE_ORDERS, "open", 10);
                List<Long> others = other.ids(HIBERNATE_ORDERS, "open", 10);
                for (int i = 0; i < orders.size(); i++) {
                    app.read(HIBERNATE_ITEMS, orders.get(i));
                    other.read(HIBERNATE_ITEMS, others.get(i));
                }
                app.commit();
                other.commit();
            }
        });
    }
}
