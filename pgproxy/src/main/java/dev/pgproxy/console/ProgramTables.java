package dev.pgproxy.console;

import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.net.HostNames;
import dev.pgproxy.net.Transport;
import io.netty.buffer.PooledByteBufAllocator;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryUsage;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** SHOW MEM, VERSION, DNS_HOSTS, DNS_ZONES, and the parameters that drivers ask for. Stateless. */
final class ProgramTables {
    /** What the console tells at start-up, and what it answers to SHOW. */
    private static final Map<String, String> PARAMETERS = Map.of(
            "client_encoding", "UTF8",
            "datestyle", "ISO",
            "default_transaction_isolation", "read committed",
            "server_version", "18.0/pgproxy",
            "standard_conforming_strings", "on",
            "timezone", "UTC",
            "transaction isolation level", "read committed");

    private ProgramTables() {}

    /** Bytes in use and bytes taken from the system, of each part of the JVM's memory and of Netty's buffers. */
    static ConsoleAnswer mem() {
        Table table = Table.of("name size:int4 used:int8 free:int8 memtotal:int8");
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            MemoryUsage usage = pool.getUsage();
            if (usage != null) {
                add(table, "java " + pool.getName(), usage.getUsed(), usage.getCommitted());
            }
        }
        for (BufferPoolMXBean pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
            add(table, "java buffers " + pool.getName(), pool.getMemoryUsed(), pool.getTotalCapacity());
        }
        PooledByteBufAllocator netty = Transport.ALLOCATOR;
        add(table, "netty direct", netty.pinnedDirectMemory(), netty.metric().usedDirectMemory());
        add(table, "netty heap", netty.pinnedHeapMemory(), netty.metric().usedHeapMemory());
        return table.answer();
    }

    private static void add(Table table, String name, long used, long total) {
        String key = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "_");
        table.row(key, 1, used, Math.max(0, total - used), Math.max(total, used));
    }

    static ConsoleAnswer version(String version) {
        return Table.of("version").row("pgproxy " + version).answer();
    }

    /** Names of servers that were looked up, and their addresses. */
    static ConsoleAnswer dnsHosts(HostNames names) {
        Table table = Table.of("hostname ttl:int8 addrs");
        for (HostNames.Known known : names.known()) {
            String addresses = known.addresses().stream()
                    .map(address -> address.getHostAddress() + ":0")
                    .collect(Collectors.joining(","));
            table.row(known.name(), known.ttlSeconds(), addresses);
        }
        return table.answer();
    }

    static ConsoleAnswer dnsZones() {
        return Table.of("zonename serial:int8 count:int4").answer();
    }

    /** SELECT 1 or SELECT version(). */
    static ConsoleAnswer select(String expression, String version) {
        return expression.equals("1")
                ? Table.of("?column?:int4").row(1).answer("SELECT 1")
                : Table.of("version").row("pgproxy " + version).answer("SELECT 1");
    }

    /** SHOW of a parameter of PostgreSQL, null where the console has none. */
    static @Nullable ConsoleAnswer parameter(String name) {
        String value = PARAMETERS.get(name);
        String column = name.equals("transaction isolation level") ? "transaction_isolation" : name;
        return value == null ? null : Table.of(column).row(value).answer();
    }
}
