package dev.pgproxy.workload;

/** The tables of the workloads. Stateless. */
public final class Shop {
    private static final String[] SCHEMA = {
        "CREATE TABLE users (id int PRIMARY KEY, name text)",
        "CREATE TABLE posts (id int PRIMARY KEY, author_id int REFERENCES users, title text)",
        "CREATE TABLE comments (id int PRIMARY KEY, post_id int REFERENCES posts, author_id int REFERENCES users, body text)",
        "CREATE TABLE labels (id int PRIMARY KEY, post_id int, word text)",
        "CREATE TABLE audits (id int PRIMARY KEY, subject int, what text)",
        "CREATE TABLE visits (id int PRIMARY KEY, at timestamp, page text)",
        "CREATE TABLE sessions (key text PRIMARY KEY, user_id int)",
        "CREATE TABLE options (name text PRIMARY KEY, value text)",
        "CREATE TABLE jobs (id int PRIMARY KEY, state text)",
        "CREATE TABLE customers (id int PRIMARY KEY, name text, address_id int)",
        "CREATE TABLE addresses (id int PRIMARY KEY, street text)",
        "CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers, status text)",
        "CREATE TABLE products (id int PRIMARY KEY, name text)",
        "CREATE TABLE items (id int PRIMARY KEY, order_id int REFERENCES orders, product_id int REFERENCES products)",
        "CREATE TABLE imported (key text PRIMARY KEY, value int)",
        "CREATE TABLE exported (id int, value int)",
        "CREATE SEQUENCE numbers INCREMENT 50",
        "INSERT INTO users SELECT g, 'user ' || g FROM generate_series(1, 40) g",
        "INSERT INTO posts SELECT g, 1 + g * 7 % 40, 'post ' || g FROM generate_series(1, 20) g",
        "INSERT INTO comments SELECT g, 1 + g % 20, 1 + g % 40, 'yes' FROM generate_series(1, 60) g",
        "INSERT INTO labels SELECT g, 1 + g % 20, 'label' FROM generate_series(1, 40) g",
        "INSERT INTO audits SELECT g, g, 'seen' FROM generate_series(1, 20) g",
        "INSERT INTO visits SELECT g, timestamp '2026-01-01' + g * interval '1 hour', '/' FROM generate_series(1, 500) g",
        "INSERT INTO sessions SELECT 'key' || g, g FROM generate_series(1, 40) g",
        "INSERT INTO options SELECT 'option' || g, 'value' FROM generate_series(1, 40) g",
        "INSERT INTO jobs SELECT g, 'new' FROM generate_series(1, 1000) g",
        "INSERT INTO addresses SELECT g, 'street ' || g FROM generate_series(1, 40) g",
        "INSERT INTO customers SELECT g, 'customer ' || g, g FROM generate_series(1, 40) g",
        "INSERT INTO orders SELECT g, 1 + g % 40, 'open' FROM generate_series(1, 200) g",
        "INSERT INTO products SELECT g, 'product ' || g FROM generate_series(1, 60) g",
        "INSERT INTO items SELECT g, 1 + g / 3, 1 + g % 60 FROM generate_series(0, 599) g",
        "ANALYZE"
    };

    private Shop() {}

    /** Orders with items, posts with comments; labels, audits and visits have no foreign keys. */
    public static String[] schema() {
        return SCHEMA.clone();
    }
}
