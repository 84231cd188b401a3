package sqlstore

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/pressly/goose/v3"
)

// Migration is one step of the schema.
type Migration struct {
	Version   int64     `json:"version"`
	Name      string    `json:"name"` // of its file
	AppliedAt time.Time `json:"applied_at,omitzero"`
}

// Migrate applies what is pending. Processes that start together wait for each other.
func (s *Store) Migrate(ctx context.Context) error {
	unlock, err := s.lock.migration()
	if err != nil {
		return fmt.Errorf("wait for other migrations: %w", err)
	}
	defer unlock()
	p, err := s.migrations()
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return nil
}

// Pending names the migrations that are not applied yet.
func (s *Store) Pending(ctx context.Context) ([]string, error) {
	all, err := s.Status(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, m := range all {
		if m.AppliedAt.IsZero() {
			names = append(names, m.Name)
		}
	}
	return names, nil
}

// Status lists all migrations in their order. AppliedAt is zero for those that are pending.
func (s *Store) Status(ctx context.Context) ([]Migration, error) {
	p, err := s.migrations()
	if err != nil {
		return nil, err
	}
	status, err := p.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the state of the schema: %w", err)
	}
	all := make([]Migration, 0, len(status))
	for _, m := range status {
		all = append(all, Migration{Version: m.Source.Version, Name: path.Base(m.Source.Path), AppliedAt: m.AppliedAt})
	}
	return all, nil
}

// migrations is goose over the files of this engine. Its Close would close our connections and is not called.
func (s *Store) migrations() (*goose.Provider, error) {
	name, files, engine, options := s.dialect.migrations()
	folder, err := fs.Sub(files, name)
	if err != nil {
		return nil, fmt.Errorf("open migrations: %w", err)
	}
	options = append(options, goose.WithSlog(s.log), goose.WithDisableGlobalRegistry(true))
	p, err := goose.NewProvider(engine, s.db, folder, options...)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return p, nil
}
