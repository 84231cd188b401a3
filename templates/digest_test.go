package templates_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"onmyway/templates"
)

func TestDigest(t *testing.T) {
	const link = "https://onmyway.example/t/8fQ2"
	many := func(n int) (all []templates.News) {
		for i := range n {
			all = append(all, templates.News{OrderID: "CH-100" + string(rune('1'+i)), Title: "Your Honda Civic is on its way"})
		}
		return all
	}
	for _, test := range []struct {
		name, locale string
		news         []templates.News
		link         string
		fold         bool
		want, in     string
	}{
		{"two orders", "en-US", []templates.News{{"CH-1", "Your car is home"}, {"CH-2", "Sam is here!"}}, link, false,
			"2 updates on your orders: CH-1: Your car is home. CH-2: Sam is here! Track: " + link, "en"},
		{"one order", "en", []templates.News{{"CH-1", "Your car is home"}, {"CH-1", "Your plates are here"}}, "", false,
			"2 updates on your order: CH-1: Your car is home. CH-1: Your plates are here.", "en"},
		{"one", "en", []templates.News{{"CH-1", "Your car is home"}}, "", false, "1 update on your order: CH-1: Your car is home.", "en"},
		{"Spanish", "es-MX", []templates.News{{"CH-1", "Falta un pago"}, {"CH-2", "Llegaron sus placas"}}, link, false,
			"2 novedades de sus pedidos: CH-1: Falta un pago. CH-2: Llegaron sus placas. Siga: " + link, "es"},
		{"one in Spanish", "es", []templates.News{{"CH-1", "Su auto está aquí"}}, "", false, "1 novedad de su pedido: CH-1: Su auto está aquí.", "es"},
		{"without accents", "es", []templates.News{{"CH-1", "Su auto está aquí"}}, "", true, "1 novedad de su pedido: CH-1: Su auto esta aqui.", "es"},
		{"accents make room", "es", []templates.News{{"CH-1", "Su auto está aquí"}, {"CH-2", "El préstamo ya no está en su título"}, {"CH-3", "Falta una inspección"}}, link, false,
			"3 novedades de sus pedidos: CH-1: Su auto esta aqui. CH-2: El préstamo ya no esta en su titulo. CH-3: Falta una inspeccion. Siga: " + link, "es"},
		{"another language", "fr", []templates.News{{"CH-1", "Votre voiture est là"}}, "", false, "1 update on your order: CH-1: Votre voiture est là.", "en"},
		{"typographic", "en", []templates.News{{"CH-1", "Sam’s here — 2:30\u00a0PM"}}, "", false, "1 update on your order: CH-1: Sam's here - 2:30 PM.", "en"},
		{"an order that is a link", "en", []templates.News{{"https://evil.example", "Your car is home"}}, "", false, "1 update on your order: Your car is home.", "en"},
		{"too many", "en", many(9), link, false, "9 updates on your orders: CH-1001: Your Honda Civic is on its way. CH-1002: Your Honda Civic is on its way. " +
			"CH-1003: Your Honda Civic is on its way. CH-1004: Your Honda Civic is on its way. CH-1005: Your Honda Civic is on its way. And 4 more. Track: " + link, "en"},
		{"too many in Spanish", "es", many(9), link, false, "9 novedades de sus pedidos: CH-1001: Your Honda Civic is on its way. CH-1002: Your Honda Civic is on its way. " +
			"CH-1003: Your Honda Civic is on its way. CH-1004: Your Honda Civic is on its way. CH-1005: Your Honda Civic is on its way. Y 4 mas. Siga: " + link, "es"},
		{"a long link", "en", many(2), "https://onmyway.example/" + strings.Repeat("x", 300), false,
			"2 updates on your orders: CH-1001: Your Honda Civic is on its way. CH-1002: Your Honda Civic is on its way.", "en"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, in := templates.Digest(test.locale, test.news, test.link, test.fold)
			if diff := cmp.Diff([]string{test.want, test.in}, []string{got, in}); diff != "" {
				t.Error("-want +got:\n" + diff)
			}
		})
	}
}

// Whatever orders are called, a digest of what customers are told fits into two segments and names the first news.
func TestDigestFits(t *testing.T) {
	set, subjects := builtIn(t), told()
	rapid.Check(t, func(t *rapid.T) {
		locale := rapid.SampledFrom(locales).Draw(t, "locale")
		news := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) templates.News {
			s := rapid.SampledFrom(subjects).Draw(t, "milestone")
			title, err := set.Lookup(s.Line, s.Milestone, locale).InDigest(&templates.Vars{OrderID: "CH-1", Line: s.Line})
			if err != nil {
				t.Fatal(err)
			}
			return templates.News{OrderID: rapid.StringMatching(`[A-Z]{2}-[0-9]{1,12}`).Draw(t, "order"), Title: title}
		}), 1, 40).Draw(t, "news")
		text, in := templates.Digest(locale, news, "https://onmyway.example/t/8fQ2", rapid.Bool().Draw(t, "fold"))
		if n, unicode := templates.Segments(text); n > 2 || unicode && in == "en" {
			t.Errorf("%d segments, UCS-2 %v: %s", n, unicode, text)
		}
		if !strings.Contains(text, news[0].OrderID+": ") {
			t.Errorf("the first news, of %s, is missing: %s", news[0].OrderID, text)
		}
	})
}

// Every line of a digest can be written, from all facts and from none.
func TestEveryMilestoneHasALine(t *testing.T) {
	set := builtIn(t)
	for _, subject := range told() {
		for _, locale := range locales {
			v := someone(t, subject.Line)
			for _, data := range [][]byte{templates.Example(subject.Milestone), []byte("{}")} {
				v.Facts = facts(t, data)
				line, err := set.Lookup(subject.Line, subject.Milestone, locale).InDigest(v)
				if n, _ := templates.Segments(line); err != nil || n != 1 {
					t.Errorf("%v in %s: %q needs %d segments, %v", subject, locale, line, n, err)
				}
			}
		}
	}
}
