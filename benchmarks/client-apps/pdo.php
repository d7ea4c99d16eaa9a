<?php
// PDO of PHP (Laravel, Doctrine, Symfony): prepared statements of the server and emulated ones, transactions, persistent connections.
function say(string $what, $value): void { echo $what, ': ', json_encode($value), "\n"; }
$url = parse_url(getenv('DATABASE_URL'));
function connect(array $url, array $options = []): PDO {
    return new PDO("pgsql:host={$url['host']};port={$url['port']};dbname=" . substr($url['path'], 1), $url['user'], $url['pass'],
        $options + [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC]);
}
$db = connect($url);
$db->exec('DROP TABLE IF EXISTS php_item');
$db->exec('CREATE TABLE php_item (id serial PRIMARY KEY, name text UNIQUE, n int DEFAULT 0, doc jsonb)');
$insert = $db->prepare('INSERT INTO php_item (name, doc) VALUES (?, ?) RETURNING *');
$insert->execute(['naïve ✓', '{"a": 1}']);
say('insert', $insert->fetch());
say('last id', $db->lastInsertId('php_item_id_seq'));
foreach ([false, true] as $emulated) {
    $db->setAttribute(PDO::ATTR_EMULATE_PREPARES, $emulated);
    $update = $db->prepare('UPDATE php_item SET n = ? WHERE id = 1');
    $select = $db->prepare('SELECT n FROM php_item WHERE id = ?');
    $seen = 0;
    for ($i = 1; $i <= 30; $i++) {
        $update->execute([$i]);
        $select->execute([1]);
        $seen += $select->fetchColumn() == $i ? 1 : 0;
    }
    say('own writes seen', $seen);
}
$db->beginTransaction();
$db->exec("INSERT INTO php_item (name) VALUES ('gone')");
$db->rollBack();
$db->beginTransaction();
$db->exec("INSERT INTO php_item (name) VALUES ('kept')");
$db->exec('SAVEPOINT s');
try { $db->exec("INSERT INTO php_item (name) VALUES ('kept')"); } catch (PDOException $e) { say('unique', $e->getCode()); }
$db->exec('ROLLBACK TO s');
$db->commit();
say('rows', $db->query('SELECT name FROM php_item ORDER BY id')->fetchAll());
$db->pgsqlCopyFromArray('php_item', ["x\t5", "y\t6"], "\t", '\\N', 'name, n');
say('copied', $db->query('SELECT sum(n) FROM php_item')->fetchAll());
$db->exec("LISTEN php_channel");
connect($url)->exec("NOTIFY php_channel, 'hello'");
say('heard', $db->pgsqlGetNotify(PDO::FETCH_ASSOC, 5000)['payload'] ?? null);
$kept = connect($url, [PDO::ATTR_PERSISTENT => true]);
$kept->exec("SET TIME ZONE 'Asia/Tokyo'");
say('zone', $kept->query('SHOW TIME ZONE')->fetchAll());
$db->exec('DROP TABLE php_item');
