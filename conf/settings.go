package conf

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Config holds every setting. [Default] has what is taken for one that the
// configuration does not have.
type Config struct {
	MessageSender  string // the calendar system's own address, or URI
	LocalPrefix    string // of the addresses that lead to mailboxes: LOCAL_PREFIX+USER@DOMAIN
	OutgoingPrefix string // of the addresses that copies of users' mail go to: OUTGOING_PREFIX+USER@DOMAIN

	StoreType      string // "file" or "postgresql"
	StoreDir       string // the store's directory, or its connection string
	PublishDir     string // where free/busy is published
	PreferencesDir string // users' preferences
	JournalDir     string // the journal's directory, or its connection string
	Permissions    fs.FileMode
	DirPermissions fs.FileMode // both are plain numbers as chmod(2) takes them: 02770 has 02000 in it

	LocaleDir        string // translations, for the original's programs
	TransDomain      string
	Lang             string
	ManagerInterface bool // whether messages point to the web manager
	ManagerPath      string
	ManagerURL       string // empty: made from the host's name
	ManagerURLScheme string

	// What users have who have not set their own.
	ParticipatingDefault        string
	IncomingDefault             string
	SharingDefault              string
	PublishingDefault           string
	BundlingDefault             string
	NotifyingDefault            string
	RefreshingDefault           string
	AddResponseDefault          string
	OrganiserReplacementDefault string
	FreebusyOfferDefault        string // an iCalendar duration; empty: no offers are recorded

	SMTPHost string // the mail server for what is sent: HOST or HOST:PORT

	Aliases string // a file of users' other addresses; empty: there is none

	IMIPCounterAsRequest bool // for the original's programs; here the calendar's method always decides
	CalendarLineLength   int  // for the original's programs; 0: as RFC 5545 has it

	// The settings that only this program knows.
	MessageSizeLimit int64         // octets of calendar data that are looked at in a message
	RejectedDir      string        // where data goes that cannot be handled; empty: see [Config.Rejected]
	RejectedLimit    int           // files in it
	RejectedSize     int64         // octets of these
	Deadline         time.Duration // for one message
	LockTimeout      time.Duration // for a user's lock
	PeriodLimit      int           // free/busy records of one event
	Syslog           string        // the facility; empty: no logging to syslog
	LogLevel         string        // "debug", "info", "warn" or "error"
	SpoolDir         string        // where messages wait that the service has taken; empty: see [Config.Spool]
	SpoolLimit       int           // messages in it
	SpoolSize        int64         // octets of these
	SpoolFirst       bool          // messages that users send, and those for resources, go there, to be handled later
	MilterSocket     string        // where the service takes mail that users send: a path, or HOST:PORT; empty: nowhere
	MetricsAddress   string        // where the service tells how it does, by HTTP: a path, or HOST:PORT; empty: nowhere
	MilterHosts      string        // hosts and networks whose mail counts though nobody has logged in
	MilterRefuse     bool          // what cannot be kept is refused for now
	LMTPSocket       string        // where the service takes mail that arrives: a path, or HOST:PORT; empty: nowhere
	MailboxServer    string        // the LMTP server of the mailboxes behind it: a path, or HOST:PORT; empty: there is none
	Resources        string        // addresses of rooms and things, or a file of them; empty: there are none
	Logins           string        // a file of the addresses of those who log in; empty: there is none
	LoginDomain      string        // of logins that are no addresses; empty: these are nobody's
	Connections      int           // of the mail system with the service, at once
	ServeSize        int64         // octets of a message that a milter or a filter looks at
	PostgreSQLLock   string        // "store": one lock for all, as the original; "user": one a user

	File     string    // where the settings come from; empty: there is no file
	Warnings []Warning // what in the file is not taken as it stands
	unusable map[string]Warning
}

// Default returns the settings that hold without a configuration file.
func Default() Config {
	return Config{
		MessageSender:               "calendar@example.com",
		LocalPrefix:                 "local",
		OutgoingPrefix:              "people-outgoing",
		StoreType:                   "file",
		StoreDir:                    "/var/lib/imip-agent/store",
		PublishDir:                  "/var/www/imip-agent/static",
		PreferencesDir:              "/var/lib/imip-agent/preferences",
		JournalDir:                  "/var/lib/imip-agent/journal",
		Permissions:                 0o660,
		DirPermissions:              0o2770,
		LocaleDir:                   "/usr/share/locale",
		TransDomain:                 "imip-agent",
		Lang:                        "en",
		ManagerInterface:            true,
		ManagerPath:                 "/imip-manager",
		ManagerURLScheme:            "http://",
		ParticipatingDefault:        "participate",
		IncomingDefault:             "summary-wraps-message",
		SharingDefault:              "no",
		PublishingDefault:           "no",
		BundlingDefault:             "never",
		NotifyingDefault:            "none",
		RefreshingDefault:           "never",
		AddResponseDefault:          "refresh",
		OrganiserReplacementDefault: "attendee",
		IMIPCounterAsRequest:        true,
		SMTPHost:                    "localhost:25",
		MessageSizeLimit:            32 << 20,
		RejectedLimit:               1000,
		RejectedSize:                1 << 30,
		Deadline:                    300 * time.Second,
		LockTimeout:                 60 * time.Second,
		PeriodLimit:                 50000,
		LogLevel:                    "info",
		SpoolLimit:                  1_000_000,
		SpoolSize:                   10 << 30,
		MilterSocket:                "/run/imip-agent/milter",
		MetricsAddress:              "/run/imip-agent/metrics",
		Connections:                 1000,
		ServeSize:                   100 << 20,
		PostgreSQLLock:              "store",
	}
}

// setting is one name of the configuration file.
type setting struct {
	name  string
	field func(*Config) any // points to the field
	// vital is a setting that nothing can stand in for: to go on with the default
	// would be to keep users' data in another place, open to others, or under
	// another name.
	vital  bool
	none   bool     // may be None
	values []string // the strings that it can be; nil: any
	min    int64    // of permissions: what the owner needs
	max    int64    // of other numbers, which are at least 1; 0: any
}

var settings = []setting{
	{name: "MESSAGE_SENDER", field: func(c *Config) any { return &c.MessageSender }, vital: true},
	{name: "LOCAL_PREFIX", field: func(c *Config) any { return &c.LocalPrefix }},
	{name: "OUTGOING_PREFIX", field: func(c *Config) any { return &c.OutgoingPrefix }, vital: true},
	{name: "STORE_TYPE", field: func(c *Config) any { return &c.StoreType }, vital: true, values: []string{"file", "postgresql"}},
	{name: "STORE_DIR", field: func(c *Config) any { return &c.StoreDir }, vital: true},
	{name: "PUBLISH_DIR", field: func(c *Config) any { return &c.PublishDir }, vital: true},
	{name: "PREFERENCES_DIR", field: func(c *Config) any { return &c.PreferencesDir }, vital: true},
	{name: "JOURNAL_DIR", field: func(c *Config) any { return &c.JournalDir }, vital: true},
	{name: "DEFAULT_PERMISSIONS", field: func(c *Config) any { return &c.Permissions }, vital: true, min: 0o600},
	{name: "DEFAULT_DIR_PERMISSIONS", field: func(c *Config) any { return &c.DirPermissions }, vital: true, min: 0o700},
	{name: "LOCALE_DIR", field: func(c *Config) any { return &c.LocaleDir }},
	{name: "TRANS_DOMAIN", field: func(c *Config) any { return &c.TransDomain }},
	{name: "LANG", field: func(c *Config) any { return &c.Lang }},
	{name: "MANAGER_INTERFACE", field: func(c *Config) any { return &c.ManagerInterface }},
	{name: "MANAGER_PATH", field: func(c *Config) any { return &c.ManagerPath }},
	{name: "MANAGER_URL", field: func(c *Config) any { return &c.ManagerURL }, none: true},
	{name: "MANAGER_URL_SCHEME", field: func(c *Config) any { return &c.ManagerURLScheme }},
	{name: "PARTICIPATING_DEFAULT", field: func(c *Config) any { return &c.ParticipatingDefault }, none: true,
		values: []string{"participate", "no"}},
	{name: "INCOMING_DEFAULT", field: func(c *Config) any { return &c.IncomingDefault },
		values: []string{"message-only", "message-then-summary", "summary-then-message", "summary-only", "summary-wraps-message"}},
	{name: "SHARING_DEFAULT", field: func(c *Config) any { return &c.SharingDefault }, none: true, values: []string{"share", "no"}},
	{name: "PUBLISHING_DEFAULT", field: func(c *Config) any { return &c.PublishingDefault }, none: true, values: []string{"publish", "no"}},
	{name: "BUNDLING_DEFAULT", field: func(c *Config) any { return &c.BundlingDefault }, values: []string{"always", "never"}},
	{name: "NOTIFYING_DEFAULT", field: func(c *Config) any { return &c.NotifyingDefault }, values: []string{"notify", "none"}},
	{name: "REFRESHING_DEFAULT", field: func(c *Config) any { return &c.RefreshingDefault }, values: []string{"always", "never"}},
	{name: "ADD_RESPONSE_DEFAULT", field: func(c *Config) any { return &c.AddResponseDefault }, values: []string{"add", "refresh", "ignore"}},
	{name: "ORGANISER_REPLACEMENT_DEFAULT", field: func(c *Config) any { return &c.OrganiserReplacementDefault },
		values: []string{"any", "attendee", "never"}},
	{name: "FREEBUSY_OFFER_DEFAULT", field: func(c *Config) any { return &c.FreebusyOfferDefault }, none: true},
	{name: "IMIP_COUNTER_AS_REQUEST", field: func(c *Config) any { return &c.IMIPCounterAsRequest }},
	{name: "CALENDAR_LINE_LENGTH", field: func(c *Config) any { return &c.CalendarLineLength }, none: true},

	{name: "SMTP_HOST", field: func(c *Config) any { return &c.SMTPHost }},
	{name: "ALIASES", field: func(c *Config) any { return &c.Aliases }, vital: true, none: true},
	{name: "MESSAGE_SIZE_LIMIT", field: func(c *Config) any { return &c.MessageSizeLimit }, max: 1 << 40},
	{name: "REJECTED_DIR", field: func(c *Config) any { return &c.RejectedDir }, vital: true, none: true},
	{name: "REJECTED_LIMIT", field: func(c *Config) any { return &c.RejectedLimit }},
	{name: "REJECTED_SIZE_LIMIT", field: func(c *Config) any { return &c.RejectedSize }, max: 1 << 50},
	{name: "DEADLINE", field: func(c *Config) any { return &c.Deadline }, max: 24 * 60 * 60},
	{name: "LOCK_TIMEOUT", field: func(c *Config) any { return &c.LockTimeout }, max: 24 * 60 * 60},
	{name: "PERIOD_LIMIT", field: func(c *Config) any { return &c.PeriodLimit }},
	{name: "SYSLOG", field: func(c *Config) any { return &c.Syslog }, none: true, values: facilities},
	{name: "LOG_LEVEL", field: func(c *Config) any { return &c.LogLevel }, values: []string{"debug", "info", "warn", "error"}},
	{name: "SPOOL_DIR", field: func(c *Config) any { return &c.SpoolDir }, vital: true, none: true},
	{name: "SPOOL_LIMIT", field: func(c *Config) any { return &c.SpoolLimit }},
	{name: "SPOOL_SIZE_LIMIT", field: func(c *Config) any { return &c.SpoolSize }, max: 1 << 50},
	{name: "SPOOL_FIRST", field: func(c *Config) any { return &c.SpoolFirst }},
	{name: "MILTER_SOCKET", field: func(c *Config) any { return &c.MilterSocket }, none: true},
	{name: "METRICS_ADDRESS", field: func(c *Config) any { return &c.MetricsAddress }, none: true},
	{name: "MILTER_HOSTS", field: func(c *Config) any { return &c.MilterHosts }, none: true},
	{name: "MILTER_REFUSE", field: func(c *Config) any { return &c.MilterRefuse }},
	{name: "LMTP_SOCKET", field: func(c *Config) any { return &c.LMTPSocket }, none: true},
	{name: "MAILBOX_SERVER", field: func(c *Config) any { return &c.MailboxServer }, none: true},
	{name: "RESOURCES", field: func(c *Config) any { return &c.Resources }, none: true},
	{name: "LOGINS", field: func(c *Config) any { return &c.Logins }, none: true},
	{name: "LOGIN_DOMAIN", field: func(c *Config) any { return &c.LoginDomain }, none: true},
	{name: "SERVE_CONNECTIONS", field: func(c *Config) any { return &c.Connections }},
	{name: "SERVE_SIZE_LIMIT", field: func(c *Config) any { return &c.ServeSize }, max: 1 << 40},
	{name: "POSTGRESQL_LOCK", field: func(c *Config) any { return &c.PostgreSQLLock }, values: []string{"store", "user"}},
}

// facilities are the names that syslog has for who is logging (RFC 5424 section
// 6.2.1), as syslog.conf spells them.
var facilities = []string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

// Names returns the names of all settings.
func Names() []string {
	names := make([]string, len(settings))
	for i, s := range settings {
		names[i] = s.name
	}
	return names
}

func find(name string) (setting, bool) {
	i := slices.IndexFunc(settings, func(s setting) bool { return s.name == name })
	if i < 0 {
		return setting{}, false
	}
	return settings[i], true
}

// misspelled returns the vital setting that a name was probably meant for: one that is
// the same but for letter case, or for two letters that are wrong, left out, or in
// each other's place.
func misspelled(name string) (setting, bool) {
	for _, s := range settings {
		if s.vital && len(name) < 100 && distance(strings.ToUpper(name), s.name) <= 2 {
			return s, true
		}
	}
	return setting{}, false
}

// distance returns how many letters have to be put in, taken out or replaced to make b of
// a (Levenshtein's distance).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// expected says what the setting can be, with an example.
func (s setting) expected() string {
	d := Default()
	what, example := "a number is expected", ""
	switch field := s.field(&d).(type) {
	case *string:
		what, example = "a string in quotes is expected", strconv.Quote(*field)
		switch {
		case s.values != nil:
			what = "one of these is expected, in quotes: " + strings.Join(s.values, ", ")
		case *field == "" && s.none:
			example = "None"
		}
	case *bool:
		what, example = "True or False is expected", "True"
	case *fs.FileMode:
		what, example = "an octal number is expected", fmt.Sprintf("%#o", *field)
	}
	if example == "" {
		return what
	}
	return fmt.Sprintf("%s, such as %s = %s", what, s.name, example)
}

// assign sets the setting's field in c, or leaves it and says why it cannot have
// that value.
func (s setting) assign(c *Config, value any) error {
	if value == nil {
		if !s.none {
			return errors.New("it cannot be None")
		}
		switch field := s.field(c).(type) {
		case *string:
			*field = ""
		case *int:
			*field = 0
		}
		return nil
	}
	switch field := s.field(c).(type) {
	case *string:
		value, ok := value.(string)
		if !ok {
			return errors.New("it must be a string")
		}
		if err := s.checkString(value); err != nil {
			return err
		}
		*field = value
	case *bool:
		switch value := value.(type) {
		case bool:
			*field = value
		case int64: // as Python takes it
			*field = value != 0
		default:
			return errors.New("it must be True or False")
		}
	default:
		value, ok := value.(int64)
		if !ok {
			return errors.New("it must be a number")
		}
		return s.assignNumber(c, value)
	}
	return nil
}

func (s setting) checkString(value string) error {
	switch {
	case s.values != nil && !slices.Contains(s.values, value):
		return fmt.Errorf("%.60q is none of: %s", value, strings.Join(s.values, ", "))
	case strings.ContainsFunc(value, unicode.IsControl):
		return fmt.Errorf("%.60q has control characters in it", value)
	case value == "" && s.vital && !s.none:
		return errors.New("it is empty")
	}
	return nil
}

func (s setting) assignNumber(c *Config, value int64) error {
	if field, ok := s.field(c).(*fs.FileMode); ok {
		// A decimal number in the place of an octal one (660 is 01224) is the usual
		// slip, and lacks what the owner needs.
		if value < 0 || value > 0o7777 || value&s.min != s.min {
			return fmt.Errorf("%#o does not give the owner %#o; write an octal number, such as %#o", value, s.min, s.min|s.min>>3)
		}
		*field = fs.FileMode(value)
		return nil
	}
	most := s.max
	if most == 0 {
		most = 1<<31 - 1
	}
	if value < 1 || value > most {
		return fmt.Errorf("%d is not a number from 1 to %d", value, most)
	}
	switch field := s.field(c).(type) {
	case *int:
		*field = int(value)
	case *int64:
		*field = value
	case *time.Duration:
		*field = time.Duration(value) * time.Second
	}
	return nil
}

// reset gives the setting's field its default.
func (s setting) reset(c *Config) {
	d := Default()
	switch field := s.field(c).(type) {
	case *string:
		*field = *s.field(&d).(*string)
	case *bool:
		*field = *s.field(&d).(*bool)
	case *int:
		*field = *s.field(&d).(*int)
	case *int64:
		*field = *s.field(&d).(*int64)
	case *fs.FileMode:
		*field = *s.field(&d).(*fs.FileMode)
	case *time.Duration:
		*field = *s.field(&d).(*time.Duration)
	}
}
