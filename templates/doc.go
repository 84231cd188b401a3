// Package templates holds the words that customers read, and the small engine that fills them in.
//
// It stands between Decide and the channels: Intake looks up the Template of a milestone in the customer's language and
// asks it for the text message, the title and the body. Files live in files/<milestone>/<locale>.txt, those of one line of
// business in files/<milestone>/<locale>.<line>.txt; an operator's own folder of the same layout replaces single files.
//
//	--- sms
//	{{ driver_name | first | default: "Your driver" }} is on the way.{% if eta %} Expect us {{ eta | window }}.{% endif %}
//	--- title
//	Your driver is on the way
//	--- body
//	…
//
// The language is a part of Liquid without loops: a text takes as long as it is. What a template may speak of is declared
// in declared.go, so a misspelt name is found when the process starts and not when a customer waits. What the facts of an
// event say is never trusted: it is cleaned, measured and never read as template.
//
// A text that gets too long is written again without what stands in {% if room %}. Lint checks all texts with everything
// that an event could say, and Fold writes a text message in the cheaper alphabet. docs/templates.md is for those who write.
package templates
