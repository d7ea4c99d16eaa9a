package dev.pgproxy.workload;

import dev.pgproxy.testing.Endpoint;
import jakarta.persistence.Entity;
import jakarta.persistence.FetchType;
import jakarta.persistence.Id;
import jakarta.persistence.JoinColumn;
import jakarta.persistence.ManyToOne;
import jakarta.persistence.OneToMany;
import jakarta.persistence.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;
import org.jspecify.annotations.Nullable;

/** {@link Shop}'s orders for Hibernate. Stateless. */
public final class HibernateShop {
    private HibernateShop() {}

    /** An order. */
    @Entity(name = "CustomerOrder")
    @Table(name = "orders")
    public static class CustomerOrder {
        @Id
        private int id;

        private String status = "";

        @ManyToOne(fetch = FetchType.LAZY)
        @JoinColumn(name = "customer_id")
        private @Nullable Customer customer;

        @OneToMany(mappedBy = "order")
        private List<Item> items = new ArrayList<>();

        /** What it consists of. */
        public List<Item> items() {
            return items;
        }

        /** Who has ordered. */
        public Customer customer() {
            return Objects.requireNonNull(customer);
        }

        /** What has become of it. */
        public String status() {
            return id + status;
        }
    }

    /** A customer. */
    @Entity(name = "Customer")
    @Table(name = "customers")
    public static class Customer {
        @Id
        private int id;

        private String name = "";

        /** Its name. */
        public String getName() {
            return id + name;
        }
    }

    /** A part of an order. */
    @Entity(name = "Item")
    @Table(name = "items")
    public static class Item {
        @Id
        private int id;

        @ManyToOne(fetch = FetchType.LAZY)
        @JoinColumn(name = "order_id")
        private @Nullable CustomerOrder order;

        @ManyToOne(fetch = FetchType.LAZY)
        @JoinColumn(name = "product_id")
        private @Nullable Product product;

        /** Not found yet. */
        public Item() {}

        /** A new one. */
        public Item(int id, CustomerOrder order, Product product) {
            this.id = id;
            this.order = order;
            this.product = product;
        }

        /** What was ordered. */
        public Product product() {
            return Objects.requireNonNull(product);
        }

        /** What it is a part of. */
        public @Nullable CustomerOrder order() {
            return order;
        }

        /** Its number. */
        public int id() {
            return id;
        }
    }

    /** A product. */
    @Entity(name = "Product")
    @Table(name = "products")
    public static class Product {
        @Id
        private int id;

        private String name = "";

        /** Its name. */
        public String getName() {
            return id + name;
        }
    }

    /** Does it in transactions of their own, so often. */
    public static void run(Endpoint endpoint, String name, int batch, int times, Consumer<Session> work) {
        Configuration configuration = new Configuration()
                .addAnnotatedClass(CustomerOrder.class)
                .addAnnotatedClass(Customer.class)
                .addAnnotatedClass(Item.class)
                .addAnnotatedClass(Product.class)
                .setProperty(
                        "hibernate.connection.url",
                        "jdbc:postgresql://%s:%d/%s?ApplicationName=%s&sslmode=disable"
                                .formatted(endpoint.host(), endpoint.port(), endpoint.database(), name))
                .setProperty("hibernate.connection.username", endpoint.user())
                .setProperty("hibernate.connection.password", endpoint.password())
                .setProperty("hibernate.connection.pool_size", "1")
                .setProperty("hibernate.jdbc.batch_size", "20")
                .setProperty("hibernate.default_batch_fetch_size", Integer.toString(batch));
        try (SessionFactory factory = configuration.buildSessionFactory()) {
            for (int i = 0; i < times; i++) {
                factory.inTransaction(work);
            }
        }
    }
}
