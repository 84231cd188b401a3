package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// docsPage is what the page of all calls shows.
type docsPage struct {
	Title    string
	Welcome  []paragraph
	Scopes   []Scope
	Chapters []chapter
}

// chapter is the calls about one thing.
type chapter struct {
	Name, Means string
	Calls       []callDoc
}

// callDoc is one call as the page shows it.
type callDoc struct {
	Name, Summary, Method, Class, Path, Scope string
	About                                     []paragraph
	Parameters                                []field
	Bodies                                    string // media types
	BodyFields                                []field
	Curl                                      string
	Answers                                   []answerDoc
	Failures                                  []failureDoc
}

type answerDoc struct {
	Status, Means, Headers, Example string
	Fields                          []field
}

type failureDoc struct {
	Status, Class, Means string
	Codes                []string
}

// docs reads the OpenAPI document for the page.
func (s *server) docs() docsPage {
	doc := s.api.OpenAPI()
	p := docsPage{Title: "REST interface", Welcome: prose(doc.Info.Description), Scopes: Scopes}
	base := "http://localhost:8080"
	if s.PublicURL != "" {
		base = s.PublicURL
	}
	for _, tag := range doc.Tags {
		c := chapter{Name: tag.Name, Means: tag.Description}
		for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
			for _, op := range operationsOf(doc.Paths[path]) {
				if slices.Contains(op.Tags, tag.Name) {
					c.Calls = append(c.Calls, describeCall(doc.Components.Schemas, op, base))
				}
			}
		}
		p.Chapters = append(p.Chapters, c)
	}
	return p
}

func describeCall(r huma.Registry, op *huma.Operation, base string) callDoc {
	c := callDoc{
		Name: op.OperationID, Summary: op.Summary, Method: op.Method, Class: strings.ToLower(op.Method), Path: op.Path,
		About: prose(op.Description), Curl: curl(r, op, base),
	}
	if len(op.Security) == 1 {
		c.Scope = op.Security[0][keyScheme][0]
	}
	for _, p := range op.Parameters {
		f := fieldOf(r, p.Name, p.Schema, p.Required, 0)
		f.Type += " in the " + p.In
		if p.Description != "" {
			f.Means = p.Description
		}
		if p.Example != nil {
			f.Example = exampleText(p.Example)
		}
		c.Parameters = append(c.Parameters, f)
	}
	if media, types := bodyOfCall(op); media != nil {
		c.Bodies, c.BodyFields = strings.Join(types, ", "), fieldsIn(r, media.Schema)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		answer := op.Responses[status]
		if code, _ := strconv.Atoi(status); code >= 400 {
			c.Failures = append(c.Failures, failureDoc{status, "s" + status[:1], answer.Description, codesOf(code)})
			if code == http.StatusConflict {
				c.Failures[len(c.Failures)-1].Codes = conflictsOf(op)
			}
			continue
		}
		c.Answers = append(c.Answers, describeAnswer(r, status, answer))
	}
	return c
}

func describeAnswer(r huma.Registry, status string, answer *huma.Response) answerDoc {
	a := answerDoc{Status: status, Means: answer.Description, Headers: strings.Join(slices.Sorted(maps.Keys(answer.Headers)), ", ")}
	for _, media := range answer.Content {
		a.Fields, a.Example = fieldsIn(r, media.Schema), pretty(exampleOf(r, media.Schema, 0))
	}
	return a
}

// bodyOfCall is what a call reads: its JSON form, and all media types with that one first.
func bodyOfCall(op *huma.Operation) (*huma.MediaType, []string) {
	if op.RequestBody == nil {
		return nil, nil
	}
	types := slices.Sorted(maps.Keys(op.RequestBody.Content))
	return op.RequestBody.Content["application/json"], types
}

// curl is the call as a person may type it. URL and key are those of a first try.
func curl(r huma.Registry, op *huma.Operation, base string) string {
	var b strings.Builder
	b.WriteString("curl ")
	if op.Method != http.MethodGet {
		b.WriteString("-X " + op.Method + " ")
	}
	path := op.Path
	for _, p := range op.Parameters {
		if p.In == "path" {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", parameterExample(r, p))
		}
	}
	query := url.Values{}
	for _, p := range op.Parameters {
		if p.In == "query" && p.Required {
			query.Set(p.Name, parameterExample(r, p))
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	b.WriteString("'" + base + path + "'")
	if len(op.Security) > 0 {
		b.WriteString(" \\\n  -H \"Authorization: Bearer $KEY\"")
	}
	for _, p := range op.Parameters {
		if p.In == "header" && p.Required {
			b.WriteString(" \\\n  -H '" + p.Name + ": " + parameterExample(r, p) + "'")
		}
	}
	if media, _ := bodyOfCall(op); media != nil {
		example := media.Example
		if example == nil {
			example = exampleOf(r, media.Schema, 0)
		}
		b.WriteString(" \\\n  -H 'Content-Type: application/json' -d '" + pretty(example) + "'")
	}
	return b.String()
}

func parameterExample(r huma.Registry, p *huma.Param) string {
	if p.Example != nil {
		return exampleText(p.Example)
	}
	return exampleText(exampleOf(r, p.Schema, 0))
}

// pretty is an example as indented JSON.
func pretty(example any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if example == nil || enc.Encode(example) != nil { // made of constants only
		return ""
	}
	return strings.TrimSpace(b.String())
}

// paragraph is one of a description: text, or a list.
type paragraph struct {
	Text  []span
	Items [][]span
}

// span is text, or code.
type span struct {
	Said string
	Code bool
}

// prose reads the few marks that descriptions have: an empty line, "- " and backquotes.
func prose(text string) (all []paragraph) {
	for _, part := range strings.Split(text, "\n\n") {
		if part == "" {
			continue
		}
		before, items, list := strings.Cut(part, "\n- ")
		all = append(all, paragraph{Text: spans(before)})
		if list {
			p := paragraph{}
			for _, item := range strings.Split(items, "\n- ") {
				p.Items = append(p.Items, spans(item))
			}
			all = append(all, p)
		}
	}
	return all
}

func spans(text string) (all []span) {
	for i, part := range strings.Split(text, "`") {
		if part != "" {
			all = append(all, span{part, i%2 == 1})
		}
	}
	return all
}
