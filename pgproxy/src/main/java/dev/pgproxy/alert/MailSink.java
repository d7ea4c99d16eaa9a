package dev.pgproxy.alert;

import dev.pgproxy.config.Secret;
import dev.pgproxy.config.SmtpSettings;
import dev.pgproxy.config.SmtpTls;
import jakarta.mail.AuthenticationFailedException;
import jakarta.mail.Message;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Date;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** Tells by mail. Source: RFC 5321, by Jakarta Mail. */
final class MailSink implements Sink {
    private static final String PATIENCE_MILLIS = "10000";

    private final SmtpSettings settings;
    private final Source source;
    private final Session session;

    MailSink(SmtpSettings settings, Source source) {
        this.settings = settings;
        this.source = source;
        this.session = Session.getInstance(properties(settings));
    }

    private static Properties properties(SmtpSettings settings) {
        Properties properties = new Properties();
        properties.setProperty("mail.smtp.host", settings.host());
        properties.setProperty("mail.smtp.port", String.valueOf(settings.port()));
        properties.setProperty("mail.smtp.connectiontimeout", PATIENCE_MILLIS);
        properties.setProperty("mail.smtp.timeout", PATIENCE_MILLIS);
        properties.setProperty("mail.smtp.writetimeout", PATIENCE_MILLIS);
        properties.setProperty("mail.smtp.auth", String.valueOf(settings.user() != null));
        properties.setProperty("mail.smtp.ssl.enable", String.valueOf(settings.tls() == SmtpTls.TLS));
        properties.setProperty("mail.smtp.starttls.enable", String.valueOf(settings.tls() == SmtpTls.STARTTLS));
        properties.setProperty("mail.smtp.starttls.required", String.valueOf(settings.tls() == SmtpTls.STARTTLS));
        properties.setProperty("mail.smtp.ssl.checkserveridentity", "true");
        return properties;
    }

    @Override
    public String name() {
        return String.join(", ", settings.to());
    }

    @Override
    public String kind() {
        return "mail";
    }

    @Override
    public void send(Alert alert) throws DeliveryFailure {
        Secret password = settings.password();
        try (Transport transport = session.getTransport("smtp")) {
            MimeMessage message = message(alert);
            transport.connect(settings.user(), password == null ? null : password.reveal());
            transport.sendMessage(message, message.getAllRecipients());
        } catch (AuthenticationFailedException e) {
            throw new DeliveryFailure("the mail server refused user and password", true);
        } catch (MessagingException e) {
            Throwable cause = e.getCause(); // such as that its certificate is not trusted
            String why = cause == null ? "" : ": " + cause.getMessage();
            throw new DeliveryFailure(without(password, e.getMessage() + why), false);
        }
    }

    /** What a server says is its own affair, and might repeat what it was told. */
    private static String without(@Nullable Secret password, String said) {
        String line = said.replaceAll("\\p{Cntrl}+", " ").strip();
        return password == null ? line : line.replace(password.reveal(), password.toString());
    }

    private MimeMessage message(Alert alert) throws MessagingException {
        MimeMessage message = new MimeMessage(session);
        message.setFrom(new InternetAddress(settings.from()));
        for (String to : settings.to()) {
            message.addRecipient(Message.RecipientType.TO, new InternetAddress(to));
        }
        Instant cleared = alert.cleared();
        message.setSentDate(Date.from(cleared == null ? alert.raised() : cleared));
        String utf8 = StandardCharsets.UTF_8.name();
        message.setSubject(
                "[pgproxy " + source.name() + "] " + (alert.isRaised() ? "" : "cleared: ") + alert.kind() + " "
                        + alert.subject(),
                utf8);
        message.setText(text(alert), utf8);
        return message;
    }

    private String text(Alert alert) {
        StringBuilder text = new StringBuilder(alert.summary());
        if (alert.isRaised()) {
            text.append("\n\n").append(alert.kind().advice());
        }
        text.append("\n\nseverity: ").append(alert.kind().severity());
        text.append("\nsource: ").append(source.name());
        text.append("\nraised at: ").append(alert.raised());
        if (!alert.isRaised()) {
            text.append("\ncleared at: ").append(alert.cleared());
        }
        return text.append('\n').toString();
    }

    @Override
    public void close() {}
}
