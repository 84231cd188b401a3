package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"onmyway/notify"
)

// keyScheme is the name of the API key in the OpenAPI document.
const keyScheme = "key"

// description is the head of the OpenAPI document and the behaviour of huma.
func description(publicURL string) huma.Config {
	c := huma.DefaultConfig("Onmyway", "1")
	c.Info.Description = "Tells the customers of a vehicle-logistics company where their order is."
	c.CreateHooks = nil                   // no "$schema" in every body
	c.RejectUnknownQueryParameters = true // a filter with a typo would otherwise find everything
	// Served by openAPI: the handlers of huma build the document in the first request, without a lock.
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		keyScheme: {Type: "http", Scheme: "bearer", Description: "An API key. Each call names the scope that the key needs."},
	}
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	if publicURL != "" {
		c.Servers = []*huma.Server{{URL: publicURL}}
	}
	return c
}

// schemaName names a type in the document as a reader knows the thing.
func schemaName(t reflect.Type, hint string) string {
	if t == reflect.TypeFor[notify.Problem]() {
		return "WrongField" // beside Problem, the whole answer
	}
	return strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "Body")
}

// openAPI serves the document, which is complete once all calls are registered.
func (s *server) openAPI() http.HandlerFunc {
	doc, err := json.Marshal(s.api.OpenAPI())
	if err != nil {
		panic("the OpenAPI document can't be written: " + err.Error()) // made of constants only
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(doc) // an error means that the caller is gone
	}
}
