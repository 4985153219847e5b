dnl Mail that arrives: the end of /etc/mail/sendmail.mc, below the MAILER lines. FEATURE(`mailertable')
dnl stands above them, and a line of /etc/mail/mailertable names the domain:
dnl
dnl     example.org     imip-agent:localhost
dnl
dnl The domain is in /etc/mail/relay-domains, and not in /etc/mail/local-host-names.
MAILER_DEFINITIONS
Mimip-agent,	P=[IPC], F=lsmDFMuXz, S=EnvFromSMTP/HdrFromSMTP, R=EnvToSMTP/HdrFromSMTP, E=\r\n,
		T=DNS/RFC822/SMTP, A=FILE /run/imip-agent/lmtp
