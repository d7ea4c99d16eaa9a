package dev.pgproxy.config;

/**
 * A row of {@code SHOW CONFIG}. Immutable.
 *
 * @param key the setting
 * @param value what holds; empty where it is not set, {@code ****} for a secret
 * @param defaultValue what would hold otherwise
 * @param changeable whether SET and RELOAD can change it
 */
public record ShownSetting(String key, String value, String defaultValue, boolean changeable) {}
