/**
 * Settings: conf files and command line in, immutable records out. Every setting is declared once, in the record that
 * carries it; reading, {@code SHOW CONFIG}, {@code SET}, {@code RELOAD} and the check of the documentation all work from
 * these declarations. Calls nothing else of the program.
 */
@NullMarked
package dev.pgproxy.config;

import org.jspecify.annotations.NullMarked;
