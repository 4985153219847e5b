dnl Users' mail for their calendars: for the end of /etc/mail/sendmail.mc, above the MAILER lines.
dnl
dnl If the service does not answer, mail goes out all the same, and the calendar does not
dnl know of it. With F=T clients must try again. Sendmail says who has logged in by
dnl itself ({auth_authen} in confMILTER_MACROS_ENVFROM).
INPUT_MAIL_FILTER(`imip-agent', `S=local:/run/imip-agent/milter, F=, T=C:10s;S:30s;R:30s;E:1m')dnl
