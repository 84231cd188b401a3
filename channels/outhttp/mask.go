package outhttp

// Mask stands for a secret where settings are logged: it tells whether there is one, and nothing of it.
func Mask(secret string) string {
	if secret == "" {
		return ""
	}
	return "***"
}
