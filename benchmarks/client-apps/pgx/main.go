// pgx (pool, statement cache, batches, COPY, LISTEN) and lib/pq under database/sql.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
	"github.com/lib/pq"
)

func say(what string, value ...interface{}) { fmt.Println(what+":", value) }

func must(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func code(err error) string {
	var e *pgconn.PgError
	var p *pq.Error
	if errors.As(err, &e) {
		return e.Code
	} else if errors.As(err, &p) {
		return string(p.Code)
	}
	return fmt.Sprint(err)
}

func viaPgx(url string) {
	ctx := context.Background()
	pool, err := pgxpool.Connect(ctx, url+"?pool_max_conns=8")
	must(err)
	defer pool.Close()
	exec := func(text string, values ...interface{}) {
		_, err := pool.Exec(ctx, text, values...)
		must(err)
	}
	exec("DROP TABLE IF EXISTS go_item")
	exec("CREATE TABLE go_item (id serial PRIMARY KEY, name text UNIQUE, n int DEFAULT 0, tags text[], at timestamptz)")
	var id int
	must(pool.QueryRow(ctx, "INSERT INTO go_item (name, tags, at) VALUES ($1, $2, $3) RETURNING id", "naïve ✓", []string{"x", "y"}, time.Unix(0, 0)).Scan(&id))
	say("insert", id)
	seen := 0
	for i := 1; i <= 30; i++ {
		exec("UPDATE go_item SET n = $1 WHERE id = 1", i)
		var n int
		must(pool.QueryRow(ctx, "SELECT n FROM go_item WHERE id = $1", 1).Scan(&n))
		if n == i {
			seen++
		}
	}
	say("own writes seen", seen)
	tx, err := pool.Begin(ctx)
	must(err)
	_, err = tx.Exec(ctx, "INSERT INTO go_item (name) VALUES ('kept')")
	must(err)
	inner, err := tx.Begin(ctx)
	must(err)
	_, err = inner.Exec(ctx, "INSERT INTO go_item (name) VALUES ('kept')")
	say("unique in a savepoint", code(err))
	must(inner.Rollback(ctx))
	must(tx.Commit(ctx))
	batch := &pgx.Batch{}
	for i := 0; i < 20; i++ {
		batch.Queue("SELECT $1::int * 2", i)
	}
	answers := pool.SendBatch(ctx, batch)
	sum := 0
	for i := 0; i < 20; i++ {
		var x int
		must(answers.QueryRow().Scan(&x))
		sum += x
	}
	must(answers.Close())
	say("batch", sum)
	rows := make([][]interface{}, 1000)
	for i := range rows {
		rows[i] = []interface{}{fmt.Sprint("copied ", i), i}
	}
	n, err := pool.CopyFrom(ctx, pgx.Identifier{"go_item"}, []string{"name", "n"}, pgx.CopyFromRows(rows))
	must(err)
	say("copied", n)
	conn, err := pool.Acquire(ctx)
	must(err)
	_, err = conn.Exec(ctx, "LISTEN go_channel")
	must(err)
	exec("SELECT pg_notify('go_channel', 'hello')")
	note, err := conn.Conn().WaitForNotification(ctx)
	must(err)
	say("heard", note.Payload)
	conn.Release()
	short, stop := context.WithTimeout(ctx, 300*time.Millisecond)
	_, err = pool.Exec(short, "SELECT pg_sleep(5)")
	say("timed out by the client", err != nil)
	stop()
	var all sync.WaitGroup
	for i := 0; i < 200; i++ {
		all.Add(1)
		go func() { defer all.Done(); exec("UPDATE go_item SET n = n + 1 WHERE id = 1") }()
	}
	all.Wait()
	var counter int
	must(pool.QueryRow(ctx, "SELECT n FROM go_item WHERE id = 1").Scan(&counter))
	say("counter", counter)
}

func viaLibPq(url string) {
	db, err := sql.Open("postgres", url+"?sslmode=disable")
	must(err)
	defer db.Close()
	db.SetMaxOpenConns(8)
	statement, err := db.Prepare("SELECT n FROM go_item WHERE name = $1")
	must(err)
	var n int
	for i := 0; i < 20; i++ {
		must(statement.QueryRow(fmt.Sprint("copied ", i)).Scan(&n))
	}
	say("prepared", n)
	tx, err := db.Begin()
	must(err)
	_, err = tx.Exec("INSERT INTO go_item (name) VALUES ($1)", "gone")
	must(err)
	must(tx.Rollback())
	_, err = db.Exec("INSERT INTO go_item (name) VALUES ($1)", "kept")
	say("unique", code(err))
	must(db.QueryRow("SELECT count(*) FROM go_item").Scan(&n))
	say("count", n)
	_, err = db.Exec("DROP TABLE go_item")
	must(err)
}

func main() {
	viaPgx(os.Getenv("DATABASE_URL"))
	viaLibPq(os.Getenv("DATABASE_URL"))
}
