package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"onmyway/channels/outhttp"
)

// healthTimeout is what container platforms usually wait for a check.
const healthTimeout = 3 * time.Second

func healthcheckCommand() *cobra.Command {
	var url string
	var live bool
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the service on this machine whether it is ready",
		Long: `Ask the service on this machine whether it is ready: GET /readyz on http.addr, with three seconds for the answer.

It is made for the HEALTHCHECK of a container. The exit code is 0 when the service is ready and 1 when it is not. With
--live it asks only whether the process answers (GET /healthz), whatever its engines do.
Of another machine it asks what --url names; $ONMYWAY_URL is for commands that speak to REST.`,
		Example: `  onmyway healthcheck
  onmyway healthcheck --live
  onmyway healthcheck --url https://notify.example.com`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if url == "" {
				cfg, err := loadConfig(cmd.Flags())
				if err != nil {
					return usageError{err}
				}
				url = ownURL(cfg.HTTP.Addr)
			}
			path := "/readyz"
			if live {
				path = "/healthz"
			}
			return checkHealth(cmd.Context(), strings.TrimSuffix(url, "/")+path)
		},
	}
	configFlags(cmd.Flags())
	cmd.Flags().StringVar(&url, "url", "", "where the service is (default: http.addr on this machine)")
	cmd.Flags().BoolVar(&live, "live", false, "ask whether the process answers, not whether it is ready")
	return cmd
}

// ownURL is how a listener of this machine is reached from this machine.
func ownURL(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip, parsed := netip.ParseAddr(host); err == nil && (host == "" || parsed == nil && ip.IsUnspecified()) {
		host = "127.0.0.1" // a listener on :: takes it too
	}
	return "http://" + net.JoinHostPort(host, port)
}

// checkHealth returns an error unless url answers 200.
func checkHealth(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	client := outhttp.Client(outhttp.Guard{Private: true, Insecure: true}, healthTimeout)
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return usageError{fmt.Errorf("--url: write it like http://127.0.0.1:8080: %w", err)}
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("ask the service: %w", err)
	}
	outhttp.Drain(resp)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the service is not ready: %s", resp.Status)
	}
	return nil
}
