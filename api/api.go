package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"onmyway/notify"
)

// Config is what an operator decides.
type Config struct {
	Bootstrap      *notify.APIKey // the first key, see BootstrapKey; nil for none
	Topic          string         // where POST /v1/events publishes
	PublicURL      string         // scheme and host that people see, for tracker links: "https://track.example.com"
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed; none: the peer is the client
	RatePerMinute  int            // requests of one key, and of one address; 0 means 6,000
}

// Deps are the parts of the service that the calls need. All must be set, but for WebSocket, Callbacks, Shown, Remember and
// VAPIDPublic.
type Deps struct {
	Keys              Keys // who may call, besides Config.Bootstrap
	Publisher         Publisher
	Decode            func(r *notify.Record, now time.Time, dst *notify.Event) error // returns *notify.Invalid
	Phone             func(spelled string) (e164 string, ok bool)                    // as Decode reads numbers, so that both find the same customer
	Orders            Orders
	Messages          Messages
	Explainer         Explainer
	Resender          Resender
	Customers         Customers
	Subscriptions     Subscriptions
	Consents          Consents
	Numbers           Numbers
	CheckSubscription func(*notify.Subscription) error // sets ID; returns *notify.Invalid
	Signer            Signer
	Recorder          Recorder
	Audit             Audit
	DeadLetters       DeadLetters
	Rules             func() *notify.Rules                        // those in force
	Remember          func(ctx context.Context, p notify.Profile) // puts a profile that was written into the cache
	Checks            map[string]func(ctx context.Context) error  // by engine; must return when ctx ends
	WebSocket         http.Handler                                // the live socket
	Callbacks         http.Handler                                // of providers, below /hooks/; they prove themselves by signature
	Shown             func(token string) error                    // takes what a service worker shows; an error for a token that is none
	VAPIDPublic       string                                      // base64url; browsers subscribe with it
}

const (
	defaultRate = 6000
	// callTimeout ends a call whose engines do not answer. It is shorter than the write timeout of the server, so that
	// the caller reads a problem and not a closed connection.
	callTimeout = 10 * time.Second
	// bodyTimeout is how long a body may take to arrive. net/http ends the request's context when it passes, also while
	// the handler runs, so it is longer than callTimeout.
	bodyTimeout = 15 * time.Second
	maxBody     = 64 << 10 // bytes; POST /v1/events has its own
)

type server struct {
	Config
	Deps
	log   *slog.Logger
	api   huma.API
	keys  *keyring
	rates rates
	ready *readiness
}

// New builds the handler. It starts nothing and ends with the server that serves it. The handler is a chi.Routes.
func New(cfg Config, deps Deps, log *slog.Logger) http.Handler {
	cfg.RatePerMinute = cmp.Or(cfg.RatePerMinute, defaultRate)
	cfg.PublicURL = strings.TrimSuffix(cfg.PublicURL, "/")
	s := &server{
		Config: cfg, Deps: deps, log: log, keys: newKeyring(deps.Keys, log),
		rates: newRates(cfg.RatePerMinute),
		ready: newReadiness(deps.Checks, log),
	}
	root := chi.NewRouter()
	root.Use(clientAddress(cfg.TrustedProxies))
	if deps.WebSocket != nil {
		// Outside of everything that wraps the ResponseWriter: the hub takes the connection over.
		root.Handle("/connection/websocket", deps.WebSocket)
	}
	if deps.Shown != nil {
		root.With(s.limitAddress).Post(ShownPath+"{token}", s.hearShown)
	}
	if deps.Callbacks != nil {
		root.Handle("/hooks/*", deps.Callbacks) // a provider calls from few addresses: no limit by address
	}
	root.Mount("/", s.rest())
	return root
}

func (s *server) rest() http.Handler {
	r := chi.NewRouter()
	r.Use(s.identify, s.headers, s.accessLog, s.recoverPanic, middleware.GetHead)
	r.NotFound(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, notFound("there is nothing at this path"))
	})
	r.MethodNotAllowed(methodNotAllowed(r))
	r.Get("/healthz", healthz)
	r.Get("/readyz", s.ready.serve)
	r.Group(func(v1 chi.Router) {
		v1.Use(s.limitAddress)
		s.api = humachi.New(v1, description(s.PublicURL))
		s.api.UseMiddleware(s.authorize, s.plainQuery, s.mediaType)
		s.calls()
	})
	complete(s.api.OpenAPI())
	r.Get("/openapi.json", s.openAPI())
	r.Get("/openapi-3.0.json", s.openAPI30())
	s.pages(r)
	return r
}

// calls lists every call: its scope, its route, the status of success.
func (s *server) calls() {
	call(s, EventsWrite, at{"POST /v1/events", 202, "publish-events", "Publish order events"}, s.publish, eventsDocs)

	call(s, OrdersRead, at{"GET /v1/orders/{id}", 200, "get-order", "How far an order is"}, s.getOrder)
	call(s, OrdersRead, at{"GET /v1/orders/{id}/timeline", 200, "get-order-timeline", "What happened to an order and who was told, newest first"}, s.timeline)

	call(s, MessagesRead, at{"GET /v1/messages", 200, "list-messages", "Find messages, newest first"}, s.listMessages, messagesDocs)
	call(s, MessagesRead, at{"GET /v1/messages/{id}", 200, "get-message", "One message and why it is as it is"}, s.getMessage)
	call(s, MessagesResend, at{"POST /v1/messages/{id}/resend", 202, "resend-message", "Send a message again"}, s.resend, resendDocs)

	call(s, CustomersRead, at{"GET /v1/customers/{id}", 200, "get-customer", "One customer"}, s.getCustomer)
	call(s, CustomersWrite, at{"PUT /v1/customers/{id}", 200, "put-customer", "Write a customer, whole"}, s.putCustomer, writeDocs)
	call(s, CustomersWrite, at{"PATCH /v1/customers/{id}", 200, "patch-customer", "Change parts of a customer"}, s.patchCustomer, writeDocs, s.patchDocs)
	call(s, CustomersRead, at{"GET /v1/customers/{id}/preferences", 200, "get-preferences", "What a customer wants, what that means now, and who changed it"}, s.getPreferences)
	call(s, CustomersWrite, at{"PUT /v1/customers/{id}/preferences", 200, "put-preferences", "Write what a customer wants, whole"}, s.putPreferences, writeDocs)
	call(s, CustomersWrite, at{"GET /v1/customers/{id}/push-subscriptions", 200, "list-push-subscriptions", "The browsers of a customer"}, s.listSubscriptions)
	call(s, CustomersWrite, at{"POST /v1/customers/{id}/push-subscriptions", 201, "add-push-subscription", "Add a browser"}, s.addSubscription)
	call(s, CustomersWrite, at{"DELETE /v1/customers/{id}/push-subscriptions/{sid}", 204, "remove-push-subscription", "Remove a browser"}, s.removeSubscription)
	call(s, CustomersRead, at{"GET /v1/customers/{id}/consents", 200, "list-consents", "What a customer said about being texted, newest first"}, s.listConsents)
	call(s, CustomersWrite, at{"POST /v1/customers/{id}/consents", 201, "add-consent", "Record what a customer said about being texted"}, s.addConsent, consentDocs)
	call(s, TokensWrite, at{"POST /v1/customers/{id}/tokens", 201, "make-token", "Make a token for the live page"}, s.makeToken)

	call(s, CustomersRead, at{"GET /v1/stopped-numbers", 200, "list-stopped-numbers", "Numbers that get no texts, and who said so, newest first"}, s.listStops)
	call(s, CustomersWrite, at{"PUT /v1/stopped-numbers/{phone}", 200, "stop-number", "Stop texts to a number"}, s.stopNumber)
	call(s, CustomersWrite, at{"DELETE /v1/stopped-numbers/{phone}", 200, "lift-stop", "Lift what staff stopped"}, s.liftStop, liftDocs)

	call(s, DeadLettersRead, at{"GET /v1/deadletters", 200, "list-dead-letters", "Records that became no event, newest first"}, s.listDeadLetters)
	call(s, AuditRead, at{"GET /v1/audit", 200, "list-audit", "Who did what, newest first"}, s.listAudit)

	call(s, Public, at{"GET /v1/push-key", 200, "get-push-key", "The key with which browsers subscribe"}, s.pushKey,
		func(op *huma.Operation) { op.Errors = append(op.Errors, http.StatusNotFound) })
}

// at is where a call lives and how it is named.
type at struct {
	route   string // "GET /v1/messages"
	status  int
	name    string
	summary string
}

// call registers one call. A call can't be registered without saying who may make it.
func call[I, O any](s *server, scope Scope, a at, handle func(context.Context, *I) (*O, error), more ...func(*huma.Operation)) {
	method, path, _ := strings.Cut(a.route, " ")
	op := huma.Operation{
		OperationID: a.name, Method: method, Path: path, Summary: a.summary, DefaultStatus: a.status,
		Tags:            []string{strings.Split(path, "/")[2]},
		MaxBodyBytes:    maxBody,
		BodyReadTimeout: bodyTimeout,
		Metadata:        map[string]any{fieldNames: fieldsOf[I](), phoneReader: s.Phone},
		Security:        []map[string][]string{},
	}
	if scope != Public {
		op.Security = []map[string][]string{{keyScheme: {string(scope)}}}
	}
	_, body := reflect.TypeFor[I]().FieldByName("Body")
	_, raw := reflect.TypeFor[I]().FieldByName("RawBody")
	_, list := reflect.TypeFor[I]().FieldByName("Cursor")
	op.Errors = failures(&op, scope, body || raw, list)
	for _, add := range more {
		add(&op)
	}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		out, err := handle(ctx, in)
		if err != nil {
			return nil, s.problemOf(ctx, err)
		}
		return out, nil
	})
}

// messagesDocs says what the filters mean together.
func messagesDocs(op *huma.Operation) {
	op.Description = "All filters hold at once. since and until are about when the event happened, not about when the message was made or sent: " +
		"a list stays the same while messages move on, and a resend stands beside the message that it repeats."
}

// writeDocs says that a write may depend on what is stored.
func writeDocs(op *huma.Operation) {
	op.Errors = append(op.Errors, http.StatusPreconditionFailed)
	if op.Description == "" {
		op.Description = "What is absent or null is emptied. With If-Match it writes only when nobody else wrote since you read it."
	}
}

// pushKeyOutput answers GET /v1/push-key.
type pushKeyOutput struct {
	Body struct {
		PublicKey string `json:"public_key" doc:"P-256 public key, base64url: the applicationServerKey of PushManager.subscribe"`
	}
}

func (s *server) pushKey(context.Context, *struct{}) (*pushKeyOutput, error) {
	if s.VAPIDPublic == "" {
		return nil, notFound("web push is not set up")
	}
	out := &pushKeyOutput{}
	out.Body.PublicKey = s.VAPIDPublic
	return out, nil
}
