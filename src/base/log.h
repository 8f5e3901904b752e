/* Messages for people, on stderr.
 *
 * Any thread may log. Messages and the progress line (progress.h) do not disturb one another.
 * Colour is used only on a terminal and when NO_COLOR is unset or empty. */
#ifndef EEX_BASE_LOG_H
#define EEX_BASE_LOG_H

typedef enum eex_log_level {
    EEX_LOG_ERROR,
    EEX_LOG_WARN,
    EEX_LOG_INFO,
    EEX_LOG_DEBUG
} eex_log_level;

/* Shows this level and the graver ones. The default is EEX_LOG_INFO; quiet is EEX_LOG_WARN, which
 * also silences progress, verbose is EEX_LOG_DEBUG. */
void eex_log_set_level(eex_log_level level);
eex_log_level eex_log_get_level(void);

/* One message, printf-style, without the newline at the end. */
void eex_log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void eex_log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void eex_log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void eex_log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
