package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"onmyway/notify/sqlstore"
)

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the service",
		Long: `Run the service: read order events from Kafka, tell customers, answer REST calls and live sockets.

Every engine that is not configured runs embedded: good for a first look and for tests, for one process only.
Every key of the configuration is also a flag and an environment variable:
  http.addr in the file = --http.addr = ONMYWAY_HTTP__ADDR`,
		Example: `  onmyway serve
  onmyway serve --config onmyway.yaml
  ONMYWAY_DATABASE__URL=postgres://onmyway@db/onmyway onmyway serve --kafka.brokers kafka:9092 --redis.url redis://redis:6379`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd.Flags())
			if err != nil {
				return usageError{err}
			}
			return serve(cmd.Context(), cfg)
		},
	}
	configFlags(cmd.Flags())
	return cmd
}

// serve runs the service until ctx ends.
func serve(ctx context.Context, cfg Config) error {
	log, err := newLog(os.Stderr, cfg.Log)
	if err != nil {
		return err
	}
	if cfg.Auth.BootstrapKey == "" {
		log.Warn("auth.bootstrap_key is not set: every REST call that needs a key is refused")
	}
	e, err := openEngines(ctx, cfg, log)
	if err != nil {
		return err
	}
	s, err := build(cfg, e, log)
	if err != nil {
		return errors.Join(err, e.close())
	}
	return errors.Join(s.run(ctx), e.close())
}

func migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's schema up to date",
		Long: `Bring the database's schema up to date. Every release runs on the schema of the one before and on its own, so the order
is: migrate up, then new processes, one after the other.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	up := &cobra.Command{
		Use: "up", Short: "Apply what is missing, under a lock", Args: noArgs,
		Long:    "Apply the migrations that are missing. Processes that do it at the same time wait for each other.",
		Example: "  onmyway migrate up --config onmyway.yaml",
		RunE:    func(cmd *cobra.Command, _ []string) error { return migrateUp(cmd) },
	}
	status := &cobra.Command{
		Use: "status", Short: "Show what is applied and what is missing", Args: noArgs,
		Long:    "List all migrations in their order, with the time at which each was applied.",
		Example: "  onmyway migrate status --database.url sqlite:onmyway-data/onmyway.db",
		RunE:    func(cmd *cobra.Command, _ []string) error { return migrateStatus(cmd) },
	}
	configFlags(up.Flags())
	configFlags(status.Flags())
	cmd.AddCommand(up, status)
	return cmd
}

func migrateUp(cmd *cobra.Command) error {
	return withStore(cmd, func(ctx context.Context, s *sqlstore.Store) error { return s.Migrate(ctx) })
}

func migrateStatus(cmd *cobra.Command) error {
	return withStore(cmd, func(ctx context.Context, s *sqlstore.Store) error {
		list, err := s.Status(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
		for _, m := range list {
			applied := "missing"
			if !m.AppliedAt.IsZero() {
				applied = m.AppliedAt.UTC().Format("2006-01-02 15:04:05Z")
			}
			fmt.Fprintf(w, "%d\t%s\t%s\n", m.Version, m.Name, applied)
		}
		return w.Flush()
	})
}

// withStore opens the configured database for one call.
func withStore(cmd *cobra.Command, use func(context.Context, *sqlstore.Store) error) error {
	cfg, err := loadConfig(cmd.Flags())
	if err != nil {
		return usageError{err}
	}
	log, err := newLog(os.Stderr, cfg.Log)
	if err != nil {
		return err
	}
	store, err := openStore(cmd.Context(), cfg, log)
	if err != nil {
		return err
	}
	return errors.Join(use(cmd.Context(), store), store.Close())
}
