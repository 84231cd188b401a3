package templates

import "strings"

// inSpanish are words for papers, tests and colors that events have in English, as people who read Spanish in the United
// States say them. What is not in it stays as the event has it.
var inSpanish = map[string]string{
	"driver license": "licencia de conducir", "driver's license": "licencia de conducir", "passport": "pasaporte",
	"photo id": "identificación con foto", "bill of sale": "contrato de compraventa", "title": "título", "lease agreement": "contrato de arrendamiento",
	"power of attorney": "poder notarial", "proof of insurance": "comprobante de seguro", "insurance card": "tarjeta de seguro",
	"proof of address": "comprobante de domicilio", "proof of residence": "comprobante de domicilio", "utility bill": "recibo de servicios",
	"odometer statement": "declaración del odómetro", "odometer disclosure": "declaración del odómetro", "lien release": "carta de liberación",
	"smog certificate": "certificado de smog", "a smog check": "una prueba de smog", "an inspection": "una inspección",
	"a safety inspection": "una inspección de seguridad", "an emissions test": "una prueba de emisiones",
	"a vin verification": "una verificación del VIN", "social security number": "número de seguro social",
	"your current address": "su domicilio actual", "current address": "domicilio actual", "your date of birth": "su fecha de nacimiento",
	"date of birth": "fecha de nacimiento", "your phone number": "su número de teléfono", "phone number": "número de teléfono",
	"registration application": "solicitud de registro", "title application": "solicitud de título", "sales tax form": "formulario de impuestos",
}

// inTongue is a word of the glossary in the language of the text.
func (c *call) inTongue(word string) string {
	if c.tongue != spanish {
		return word
	}
	if known, ok := inSpanish[strings.ToLower(word)]; ok {
		return known
	}
	return word
}
