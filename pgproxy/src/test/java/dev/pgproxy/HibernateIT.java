package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.Rows;
import dev.pgproxy.workload.HibernateShop;
import dev.pgproxy.workload.HibernateShop.CustomerOrder;
import dev.pgproxy.workload.HibernateShop.Item;
import dev.pgproxy.workload.HibernateShop.Product;
import dev.pgproxy.workload.Shop;
import java.util.List;
import java.util.function.Consumer;
import org.hibernate.Session;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What SHOW NPLUSONE says of an application with Hibernate, as it is written first and as it is written then. */
final class HibernateIT {
    private static final int TIMES = 3;

    private final CachingProxy proxy = CachingProxy.start("", Shop.schema());
    private final Endpoint proxied = proxy.routed().proxied();
    private RawClient client;

    @BeforeEach
    void begin() {
        client = proxy.login();
    }

    @AfterEach
    void end() {
        client.close();
        proxy.close();
    }

    private List<Rows.Row> found(int batch, Consumer<Session> work) {
        HibernateShop.run(proxied, "hibernate", batch, TIMES, work);
        return found();
    }

    private List<Rows.Row> found() {
        return Rows.of(proxied.withDatabase("pgproxy"), "SHOW NPLUSONE");
    }

    private static List<CustomerOrder> orders(Session session, String hql) {
        return session.createQuery(hql, CustomerOrder.class).setMaxResults(12).list();
    }

    private static void lookAtAll(Session session) {
        for (CustomerOrder order : orders(session, "from CustomerOrder o where o.status = 'open' order by o.id")) {
            assertThat(order.customer().getName()).isNotEmpty();
            for (Item item : order.items()) {
                assertThat(item.product().getName()).isNotEmpty();
            }
        }
    }

    @Test
    void lazyAssociationsInALoopAreFound() {
        found(1, HibernateIT::lookAtAll);
        // the texts are read beside the queries
        await().untilAsserted(() ->
                assertThat(found()).extracting(row -> row.get("parent_by")).containsOnly("foreign key"));
        List<Rows.Row> found = found();
        assertThat(found)
                .extracting(row -> row.get("query").replaceAll(".* from (\\w+) .*", "$1"))
                .containsExactlyInAnyOrder("customers", "items", "products");
        assertThat(found)
                .extracting(row -> row.get("parent").replaceAll(".* from (\\w+) .*", "$1"))
                .containsExactlyInAnyOrder("orders", "orders", "items");
        assertThat(found).extracting(row -> row.get("batched")).allMatch(text -> text.contains("= ANY($1)"));
    }

    @Test
    void theSameInBatchesIsNot() {
        assertThat(found(25, HibernateIT::lookAtAll)).isEmpty();
    }

    @Test
    void theSameByJoinsIsNot() {
        assertThat(found(1, session -> {
                    List<CustomerOrder> orders = session.createQuery(
                                    "select o from CustomerOrder o join fetch o.customer join fetch o.items i"
                                            + " join fetch i.product where o.status = 'open'",
                                    CustomerOrder.class)
                            .list();
                    for (CustomerOrder order : orders) {
                        order.items()
                                .forEach(item ->
                                        assertThat(item.product().getName()).isNotEmpty());
                    }
                }))
                .isEmpty();
    }

    @Test
    void rowsThatAreSavedAndPagesThatAreTurnedAreNot() {
        assertThat(found(1, session -> {
                    CustomerOrder order = orders(session, "from CustomerOrder o order by o.id")
                            .getFirst();
                    int last = session.createQuery("select max(i.id) from Item i", Integer.class)
                            .getSingleResult();
                    for (int i = 1; i <= 30; i++) {
                        session.persist(new Item(last + i, order, session.getReference(Product.class, i)));
                    }
                    session.flush();
                    for (int page = 0; page < 8; page++) {
                        session.createQuery("from Item i where i.order.id <> 0 order by i.id", Item.class)
                                .setFirstResult(page * 10)
                                .setMaxResults(10)
                                .list();
                    }
                }))
                .isEmpty();
    }
}
