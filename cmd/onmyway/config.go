package main

import (
	"time"

	"onmyway/notify"
)

// Config is everything an operator can say. The help of each key is that of its flag, of docs/configuration.md and of the
// JSON Schema for editors; enum, pattern and min are for the schema too, check has the last word.
type Config struct {
	Kafka     KafkaConfig     `yaml:"kafka"`
	Redis     RedisConfig     `yaml:"redis"`
	Database  DatabaseConfig  `yaml:"database"`
	HTTP      HTTPConfig      `yaml:"http"`
	Ops       OpsConfig       `yaml:"ops"`
	SMS       SMSConfig       `yaml:"sms"`
	Push      PushConfig      `yaml:"push"`
	Auth      AuthConfig      `yaml:"auth"`
	Templates TemplatesConfig `yaml:"templates"`
	Defaults  DefaultsConfig  `yaml:"defaults"`
	ETA       ETAConfig       `yaml:"eta"`
	Orders    OrdersConfig    `yaml:"orders"`
	Routes    []notify.Route  `yaml:"routes"`
	Retention RetentionConfig `yaml:"retention"`
	Migrate   MigrateConfig   `yaml:"migrate"`
	Log       LogConfig       `yaml:"log"`
	Tracing   TracingConfig   `yaml:"tracing"`
	Embedded  EmbeddedConfig  `yaml:"embedded"`
}

// KafkaConfig says where events come from. Without brokers an embedded Kafka is started.
type KafkaConfig struct {
	Brokers      []string   `yaml:"brokers" help:"host:port of brokers; one that answers is enough"`
	Topics       []string   `yaml:"topics" help:"topics that are read; the first one takes POST /v1/events"`
	Group        string     `yaml:"group" help:"consumer group: all processes with the same one share the partitions"`
	DeadTopic    string     `yaml:"dead_topic" help:"where records go that can't be understood"`
	CreateTopics bool       `yaml:"create_topics" help:"make topics that are missing"`
	Partitions   int        `yaml:"partitions" help:"of topics that are made" min:"1"`
	Replication  int        `yaml:"replication" help:"of topics that are made; -1 is the broker's default" min:"-1"`
	TLS          TLSConfig  `yaml:"tls"`
	SASL         SASLConfig `yaml:"sasl"`
}

// TLSConfig is how a client proves itself and whom it trusts.
type TLSConfig struct {
	Enabled    bool   `yaml:"enabled" help:"speak TLS"`
	CAFile     string `yaml:"ca_file" help:"PEM file of the authorities to trust; empty: those of the system"`
	CertFile   string `yaml:"cert_file" help:"PEM file of the client certificate"`
	KeyFile    string `yaml:"key_file" help:"PEM file of its key"`
	ServerName string `yaml:"server_name" help:"name to expect in the server's certificate"`
}

// SASLConfig is how to log in to Kafka.
type SASLConfig struct {
	Mechanism string `yaml:"mechanism" help:"plain, scram-sha-256 or scram-sha-512" enum:"plain,scram-sha-256,scram-sha-512"`
	User      string `yaml:"user" help:"user"`
	Password  string `yaml:"password" help:"password"`
}

// RedisConfig says where the cache and the live bus are. Without a URL an embedded one is started.
type RedisConfig struct {
	URL string    `yaml:"url" help:"redis://… or rediss://…; empty: an embedded one" pattern:"^rediss?://"`
	TLS TLSConfig `yaml:"tls"`
}

// DatabaseConfig says where the truth is. Without a URL it is a SQLite file under embedded.data_dir.
type DatabaseConfig struct {
	URL string `yaml:"url" help:"postgres://… or sqlite:path; empty: a SQLite file under embedded.data_dir" pattern:"^(postgres|postgresql|sqlite):"`
}

// HTTPConfig is the public listener: REST and the live socket.
type HTTPConfig struct {
	Addr              string   `yaml:"addr" help:"where REST and the live socket listen" pattern:":[^:]+$"`
	PublicURL         string   `yaml:"public_url" help:"how the outside reaches this service, such as https://notify.example.com" pattern:"^https?://"`
	TrustedProxies    []string `yaml:"trusted_proxies" help:"networks whose X-Forwarded-For is believed, such as 10.0.0.0/8"`
	AllowedOrigins    []string `yaml:"allowed_origins" help:"hosts of pages that may open the live socket, besides our own"`
	RatePerMinute     int      `yaml:"rate_per_minute" help:"calls of one key, and of one address" min:"0"`
	MaxSockets        int      `yaml:"max_sockets" help:"live sockets open at once; keep it below the limit of open files" min:"1"`
	SocketsPerAddress int      `yaml:"sockets_per_address" help:"live sockets of one address, but for this machine's own; 0: no limit. Behind a proxy set http.trusted_proxies too" min:"0"`
}

// OpsConfig is the listener for metrics and profiles. Keep it private.
type OpsConfig struct {
	Addr string `yaml:"addr" help:"where metrics and profiles listen; keep it private" pattern:":[^:]+$"`
}

// SMSConfig is the SMS channel. It is off without an account.
type SMSConfig struct {
	Twilio        TwilioConfig  `yaml:"twilio"`
	Transliterate bool          `yaml:"transliterate" help:"write texts without accents: more characters fit into a segment"`
	ScreenFirst   bool          `yaml:"screen_first" help:"a text waits for the customer to see its news on a screen where its route says so; false: every text leaves at once"`
	Consent       string        `yaml:"consent" help:"implied_by_order: whoever orders may be texted until they say no; explicit: only those whose consent is on record" enum:"implied_by_order,explicit"`
	RatePerSecond float64       `yaml:"rate_per_second" help:"texts that all processes together send in a second: what your sender may; 0: no limit" min:"0"`
	Burst         int           `yaml:"burst" help:"texts that may leave at once after a rest; 0: as many as a second allows" min:"0"`
	Breaker       float64       `yaml:"breaker" help:"share of attempts that fail at which the provider is left alone for a while; 0: never" min:"0"`
	PerHour       int           `yaml:"per_hour" help:"texts to one number in any hour; more wait and come as one. Driver alerts, what the customer has to do and resends count, but are not held; 0: no limit" min:"0"`
	Lanes         int           `yaml:"lanes" help:"texts that are sent at the same time" min:"1"`
	Queue         int           `yaml:"queue" help:"texts that wait in memory; more wait in SQL" min:"1"`
	Timeout       time.Duration `yaml:"timeout" help:"of one attempt, 1s to 15s"`
	VerifyGrace   time.Duration `yaml:"verify_grace" help:"for how long a process must have known of an unclear text, by its own count, before it believes the provider that has none; then the text is sent again"`
	UnknownAfter  time.Duration `yaml:"unknown_after" help:"how long the provider is asked in vain about an unclear text before staff have to decide"`
}

// TwilioConfig is the account that sends texts.
type TwilioConfig struct {
	AccountSID          string `yaml:"account_sid" help:"account, AC…; empty: no texts" pattern:"^AC[0-9A-Za-z]+$"`
	APIKey              string `yaml:"api_key" help:"API key, SK…"`
	APISecret           string `yaml:"api_secret" help:"secret of the API key"`
	AuthToken           string `yaml:"auth_token" help:"token of the account: checks the signature of callbacks, also beside an API key; sends where there is none"`
	AuthTokenOld        string `yaml:"auth_token_old" help:"the token before, while the account changes from one to the other"`
	MessagingServiceSID string `yaml:"messaging_service_sid" help:"messaging service, MG…" pattern:"^MG"`
	From                string `yaml:"from" help:"sender number, instead of a messaging service"`
	BaseURL             string `yaml:"base_url" help:"another address of the API, for tests and proxies" pattern:"^https?://"`
}

// PushConfig is the Web Push channel. It is off without keys.
type PushConfig struct {
	VAPID         VAPIDConfig   `yaml:"vapid"`
	AllowedHosts  []string      `yaml:"allowed_hosts" help:"push services that may be called; empty: those of the known browsers"`
	AllowInsecure bool          `yaml:"allow_insecure_endpoints" help:"also http, any port and own networks: for tests only"`
	RatePerSecond float64       `yaml:"rate_per_second" help:"pushes that all processes together send in a second; 0: no limit" min:"0"`
	Burst         int           `yaml:"burst" help:"pushes that may leave at once after a rest; 0: as many as a second allows" min:"0"`
	Breaker       float64       `yaml:"breaker" help:"share of attempts that fail at which a push service is left alone for a while; the others are not; 0: never" min:"0"`
	Lanes         int           `yaml:"lanes" help:"pushes that are sent at the same time" min:"1"`
	Queue         int           `yaml:"queue" help:"pushes that wait in memory; more wait in SQL" min:"1"`
	Timeout       time.Duration `yaml:"timeout" help:"of one attempt, 1s to 15s"`
}

// VAPIDConfig is the identity that browsers subscribed to.
type VAPIDConfig struct {
	PublicKey  string `yaml:"public_key" help:"key that browsers subscribe with (onmyway vapid generate)"`
	PrivateKey string `yaml:"private_key" help:"its other half; empty: no push"`
	Subject    string `yaml:"subject" help:"e-mail address or https URL of the operator, for the push services"`
}

// AuthConfig is who may call.
type AuthConfig struct {
	BootstrapKey string `yaml:"bootstrap_key" help:"the first API key; it may do everything. 16 characters or more"`
	TokenSecret  string `yaml:"token_secret" help:"signs buyers' tokens, 32 characters or more; empty: one is made and kept in SQL"`
}

// TemplatesConfig says where an operator's own texts are.
type TemplatesConfig struct {
	Dir string `yaml:"dir" help:"folder of texts that replace built-in ones"`
}

// DefaultsConfig is for customers of whom nothing is known.
type DefaultsConfig struct {
	Locale   string   `yaml:"locale" help:"language of customers whose own is not known"`
	TimeZone string   `yaml:"time_zone" help:"time zone of customers whose own is not known"`
	Off      []string `yaml:"off" help:"category.channel, such as progress.sms: what only those customers get who ask for it"`
}

// ETAConfig is when a new arrival time is worth a message.
type ETAConfig struct {
	Threshold time.Duration `yaml:"threshold" help:"how far an arrival time has to move before a customer is told by text or push; the live page always shows it"`
}

// OrdersConfig is what holds for every order.
type OrdersConfig struct {
	Settle time.Duration `yaml:"settle" help:"how long texts and alerts wait when their order changed less than that before: only the last of many changes is told; 0s: they never wait"`
}

// RetentionConfig is how long rows stay in SQL; 0 is for ever.
type RetentionConfig struct {
	Messages    time.Duration `yaml:"messages" help:"for how long events and messages are kept, 720h or more; 0: for ever"`
	DeadLetters time.Duration `yaml:"dead_letters" help:"for how long records are kept that can't be understood, 24h or more; 0: for ever"`
	Idempotency time.Duration `yaml:"idempotency" help:"for how long a call with the same Idempotency-Key is known to be the same, 24h or more; 0: for ever"`
}

// MigrateConfig says whether serve may change the schema.
type MigrateConfig struct {
	Auto bool `yaml:"auto" help:"let serve bring the schema up to date"`
}

// LogConfig is how the log looks.
type LogConfig struct {
	Level  string `yaml:"level" help:"debug, info, warn or error" enum:"debug,info,warn,error"`
	Format string `yaml:"format" help:"json, text, or auto: text on a terminal" enum:"json,text,auto"`
}

// EmbeddedConfig is for engines that are not configured.
type EmbeddedConfig struct {
	DataDir   string `yaml:"data_dir" help:"where embedded engines keep their data"`
	KafkaAddr string `yaml:"kafka_addr" help:"where the embedded Kafka listens; loopback only"`
}
