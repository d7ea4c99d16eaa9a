-- the schema of CatalogIT: one of everything that hides what a statement reads or touches
CREATE SCHEMA app;
CREATE SCHEMA other;

CREATE TABLE customers (id serial PRIMARY KEY, name text);
CREATE TABLE orders (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, customer int REFERENCES customers ON DELETE CASCADE, total numeric);
CREATE TABLE order_items (id int PRIMARY KEY, order_id int REFERENCES orders ON UPDATE CASCADE, note text);
CREATE TABLE item_notes (item int REFERENCES order_items ON DELETE SET NULL);
CREATE TABLE invoices (order_id int REFERENCES orders);
CREATE TABLE same (a int);
CREATE TABLE other.same (a int);
CREATE TABLE app."Odd ""Name" (a int);
CREATE TABLE app."таблица" (a int);
CREATE UNLOGGED TABLE counters (a int);
CREATE TABLE lonely (a int);
CREATE SEQUENCE tickets;

-- partitions two levels deep, one of the leaves foreign where there is a wrapper
CREATE TABLE events (at date NOT NULL, kind int NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (kind);
CREATE TABLE events_2025_1 PARTITION OF events_2025 FOR VALUES IN (1);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

CREATE TABLE animals (name text);
CREATE TABLE dogs (breed text) INHERITS (animals);
CREATE TABLE puppies () INHERITS (dogs);

-- functions of each volatility, overloads, several schemas
CREATE FUNCTION add_one(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
CREATE FUNCTION customer_name(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT name FROM customers WHERE id = $1';
CREATE FUNCTION mixed(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION mixed(text) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION app.twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION other.twice(int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1';
CREATE FUNCTION log_it(text) RETURNS int LANGUAGE plpgsql AS
  $$BEGIN INSERT INTO app."таблица" VALUES (1); RETURN 1; END$$;
CREATE FUNCTION stable_that_logs(text) RETURNS int LANGUAGE plpgsql STABLE AS $$BEGIN RETURN log_it($1); END$$;
CREATE FUNCTION asks_the_host() RETURNS bool LANGUAGE sql STABLE AS 'SELECT pg_is_in_recovery()';
CREATE FUNCTION runs_text(q text) RETURNS int LANGUAGE plpgsql STABLE AS $$DECLARE n int; BEGIN EXECUTE q INTO n; RETURN n; END$$;
CREATE FUNCTION writes_text(q text) RETURNS int LANGUAGE plpgsql AS $$BEGIN EXECUTE q; RETURN 1; END$$;
CREATE FUNCTION own_path() RETURNS bigint LANGUAGE sql STABLE SET search_path = other, pg_temp AS 'SELECT count(*) FROM same';
CREATE FUNCTION any_path() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM same';
CREATE FUNCTION with_default(a int DEFAULT log_it('x')) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a';
CREATE FUNCTION full_name(customers) RETURNS text LANGUAGE sql STABLE AS 'SELECT note FROM order_items LIMIT 1';
CREATE FUNCTION since_start() RETURNS interval LANGUAGE sql STABLE AS 'SELECT now() - timestamptz ''epoch''';
CREATE FUNCTION loop_a(int) RETURNS int LANGUAGE plpgsql STABLE AS $$BEGIN RETURN loop_b($1); END$$;
CREATE FUNCTION loop_b(int) RETURNS int LANGUAGE plpgsql STABLE AS
  $$BEGIN PERFORM 1 FROM lonely; RETURN loop_a($1); END$$;
CREATE FUNCTION tenant() RETURNS text LANGUAGE sql STABLE AS 'SELECT current_setting(''app.tenant'', true)';
CREATE FUNCTION lister(text) RETURNS text LANGUAGE plpgsql STABLE AS $$BEGIN RETURN query_to_xml($1, true, true, ''); END$$;
CREATE FUNCTION state(text, int) RETURNS text LANGUAGE plpgsql VOLATILE AS $$BEGIN PERFORM * FROM lonely; RETURN $1; END$$;
CREATE AGGREGATE gather(int) (SFUNC = state, STYPE = text);
CREATE PROCEDURE settle() LANGUAGE plpgsql AS $$BEGIN UPDATE invoices SET order_id = NULL; COMMIT; END$$;
CREATE PROCEDURE rebuild() LANGUAGE plpgsql AS $$BEGIN CREATE TABLE fresh (a int); END$$;
CREATE FUNCTION empties() RETURNS int LANGUAGE plpgsql AS $$BEGIN TRUNCATE customers CASCADE; RETURN 1; END$$;

-- views over views
CREATE VIEW big_orders AS SELECT o.*, c.name FROM orders o JOIN customers c ON c.id = o.customer WHERE total > 100;
CREATE VIEW app.bigger_orders AS SELECT * FROM big_orders WHERE total > 1000;
CREATE VIEW app.biggest AS SELECT b.*, customer_name(b.customer) AS who FROM app.bigger_orders b;
CREATE VIEW logging AS SELECT log_it(name) FROM customers;
CREATE VIEW over_logging AS SELECT * FROM logging;
CREATE VIEW host_view AS SELECT pg_is_in_recovery() AS r;
CREATE VIEW stat_view AS SELECT * FROM pg_stat_user_tables;
CREATE VIEW today AS SELECT current_date AS d, same.* FROM same;
CREATE VIEW numbered AS SELECT nextval('tickets') AS n;
CREATE VIEW locking AS SELECT * FROM lonely FOR UPDATE;
CREATE VIEW tenants AS SELECT * FROM lonely WHERE current_setting('app.tenant') = 'x';
CREATE VIEW settings_view AS SELECT current_setting('work_mem') AS w;
CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM orders;
CREATE VIEW over_summary AS SELECT * FROM summary;

-- triggers, rules, defaults
CREATE TABLE audit (what text);
CREATE TABLE audit_copy (what text);
CREATE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql AS
  $$BEGIN INSERT INTO audit VALUES (TG_OP); RETURN NEW; END$$;
CREATE FUNCTION audit_anywhere() RETURNS trigger LANGUAGE plpgsql AS
  $$BEGIN EXECUTE format('INSERT INTO %I VALUES (1)', TG_ARGV[0]); RETURN NEW; END$$;
CREATE TRIGGER t AFTER INSERT OR UPDATE ON order_items FOR EACH ROW EXECUTE FUNCTION audit_row();
CREATE RULE copied AS ON INSERT TO audit DO ALSO INSERT INTO audit_copy VALUES (NEW.what);
CREATE TABLE anywhere (a int);
CREATE TRIGGER t AFTER INSERT ON anywhere FOR EACH ROW EXECUTE FUNCTION audit_anywhere('audit');
CREATE TABLE quiet (a int);
CREATE TRIGGER t AFTER INSERT ON quiet FOR EACH ROW EXECUTE FUNCTION audit_anywhere('audit');
ALTER TABLE quiet DISABLE TRIGGER t;
CREATE TABLE defaulted (a int DEFAULT log_it('x'), b bigint DEFAULT nextval('tickets'));
CREATE VIEW hooked AS SELECT * FROM same;
CREATE FUNCTION hooked_row() RETURNS trigger LANGUAGE plpgsql AS
  $$BEGIN DELETE FROM lonely; RETURN NEW; END$$;
CREATE TRIGGER t INSTEAD OF INSERT ON hooked FOR EACH ROW EXECUTE FUNCTION hooked_row();

-- row security
CREATE TABLE permissions (who text);
CREATE FUNCTION may_see(int) RETURNS bool LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM permissions)';
CREATE TABLE secrets (a int);
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON secrets USING (may_see(a) AND a IN (SELECT a FROM lonely));
CREATE TABLE open_secrets (a int);
CREATE POLICY p ON open_secrets USING (may_see(a));
CREATE TABLE watched (a int);
ALTER TABLE watched ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON watched USING (log_it('read') > 0);

-- operators, casts, types
CREATE TYPE money_amount AS (amount numeric, currency text);
CREATE FUNCTION near(int, int) RETURNS bool LANGUAGE sql VOLATILE AS 'SELECT $1 - $2 < 2';
CREATE OPERATOR ~=~ (LEFTARG = int, RIGHTARG = int, FUNCTION = near);
CREATE FUNCTION known(int, text) RETURNS bool LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM permissions WHERE who = $2)';
CREATE OPERATOR ?= (LEFTARG = int, RIGHTARG = text, FUNCTION = known);
CREATE VIEW nearby AS SELECT * FROM same WHERE a ~=~ 1;
CREATE FUNCTION to_amount(text) RETURNS money_amount LANGUAGE sql VOLATILE AS 'SELECT ROW(1, $1)::money_amount';
CREATE CAST (text AS money_amount) WITH FUNCTION to_amount(text);
CREATE DOMAIN checked AS int CHECK (log_it('check') > 0);
CREATE DOMAIN checked_twice AS checked;
CREATE DOMAIN plain AS int CHECK (VALUE > 0);
CREATE VIEW cast_view AS SELECT a::checked_twice FROM same;
