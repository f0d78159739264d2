package customer

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

// What the text of a document may look like. It is asked before the document is
// validated: whether fields of one name can be merged is found out by comparing
// them all with each other, which a few kilobytes make take minutes.
const (
	maxFields     = 5_000  // of an operation, after fragments are expanded, as the executor counts them
	maxDepth      = 12     // fields within fields
	maxSchema     = 20     // the same in a description of the schema, which goes deeper
	maxRepeats    = 4      // of one response key in a selection set
	maxAliases    = 30     // of an operation, fragments expanded
	maxRoots      = 30     // fields of an operation itself
	maxDirectives = 10     // at one place
	maxMerge      = 10_000 // comparisons that merging the fields of a document takes
)

// shape walks a document as the merging of fields sees it: fields of one response
// key are one, whichever fragments they come from. It never looks at more
// selections than it allows, and needs no schema.
type shape struct {
	fragments map[string]*ast.FragmentDefinition
	seen      map[string]bool // fragments that were expanded
	fields    int             // what the executor will collect
	aliases   int
	merge     int
}

// spread is a fragment that is being expanded, and those around it.
type spread struct {
	name string
	in   *spread
}

// part is one selection set of several that are merged.
type part struct {
	set ast.SelectionSet
	// fold is how often the executor collects it: it doubles with each fragment
	// on the way (gqlgen 0.17 appends the selections of a fragment's field twice).
	fold int
	in   *spread
}

// merged are the fields of one response key.
type merged struct {
	key    string
	name   string
	parts  []part
	fields int // that there are
	inside int // selections that they have
	set    int // the last selection set with one
	here   int // how many that one has
}

// level is a merged selection set.
type level struct {
	list    []*merged
	byKey   map[string]*merged // where there are many
	fields  int
	spreads int
	sets    int
}

// depth is where a level stands.
type depth struct {
	fields int  // that it lies within
	schema bool // in a description of the schema
}

// checkShape refuses a document that is more than a client needs.
func checkShape(doc *ast.QueryDocument) error {
	s := shape{}
	if len(doc.Fragments) > 0 {
		s.fragments, s.seen = make(map[string]*ast.FragmentDefinition, len(doc.Fragments)), map[string]bool{}
	}
	for _, f := range doc.Fragments {
		if s.fragments[f.Name] != nil { // or the one that is looked at here may not be the one that is used
			return &tooMuch{invalidInput, fmt.Sprintf("it has two fragments %q", f.Name)}
		}
		s.fragments[f.Name] = f
	}
	for _, op := range doc.Operations {
		if err := s.directives(op.Directives); err != nil {
			return err
		}
		for _, v := range op.VariableDefinitions {
			if err := s.directives(v.Directives); err != nil {
				return err
			}
		}
		s.fields, s.aliases = 0, 0
		if err := s.level([]part{{set: op.SelectionSet, fold: 1}}, depth{}); err != nil {
			return err
		}
	}
	for _, f := range doc.Fragments { // the validator looks at those too that nobody uses
		if s.seen[f.Name] {
			continue
		}
		s.fields, s.aliases = 0, 0
		if err := s.level([]part{{f.SelectionSet, 2, &spread{name: f.Name}}}, depth{fields: 1}); err != nil {
			return err
		}
	}
	return nil
}

// level looks at selection sets that are merged, and at all that is in them.
func (s *shape) level(parts []part, in depth) error {
	var l level
	for _, p := range parts {
		if err := s.collect(&l, p); err != nil {
			return err
		}
	}
	if in.fields == 0 && l.fields > maxRoots {
		return &tooMuch{complex, fmt.Sprintf("it has more than %d fields at its root", maxRoots)}
	}
	s.merge += l.spreads * (l.spreads + l.fields)
	for _, m := range l.list {
		if m.key != m.name {
			s.aliases++
		}
		s.merge += (m.fields - 1) * (m.fields + m.inside)
	}
	switch {
	case s.aliases > maxAliases:
		return &tooMuch{complex, fmt.Sprintf("it has more than %d aliases", maxAliases)}
	case s.merge > maxMerge:
		return &tooMuch{complex, "it has too many fields of one name to be merged"}
	}
	for _, m := range l.list {
		inner := depth{in.fields + 1, in.schema || m.name == "__schema" || m.name == "__type"}
		limit := maxDepth
		if inner.schema {
			limit = maxSchema
		}
		if inner.fields > limit {
			return &tooMuch{complex, fmt.Sprintf("its fields lie more than %d deep", limit)}
		}
		if m.inside == 0 {
			continue
		}
		if err := s.level(m.parts, inner); err != nil {
			return err
		}
	}
	return nil
}

// collect adds one selection set to a level: its fields, then what its fragments
// have.
func (s *shape) collect(l *level, p part) error {
	l.sets++
	set := l.sets
	for _, selection := range p.set {
		if s.fields += p.fold; s.fields > maxFields {
			return &tooMuch{complex, fmt.Sprintf("it has more than %d fields when its fragments are expanded", maxFields)}
		}
		f, ok := selection.(*ast.Field)
		if !ok {
			continue
		}
		if err := s.directives(f.Directives); err != nil {
			return err
		}
		m := l.of(f)
		if m.set != set {
			m.set, m.here = set, 0
		}
		if m.here++; m.here > maxRepeats {
			return &tooMuch{complex, fmt.Sprintf("it has more than %d fields %q side by side", maxRepeats, m.key)}
		}
		m.fields, m.inside = m.fields+1, m.inside+len(f.SelectionSet)
		m.parts = append(m.parts, part{f.SelectionSet, p.fold, p.in})
		l.fields++
	}
	for _, selection := range p.set {
		var inner part
		switch f := selection.(type) {
		case *ast.Field:
			continue
		case *ast.InlineFragment:
			if err := s.directives(f.Directives); err != nil {
				return err
			}
			inner = part{f.SelectionSet, 2 * p.fold, p.in}
		case *ast.FragmentSpread:
			if err := s.directives(f.Directives); err != nil {
				return err
			}
			definition := s.fragments[f.Name]
			if definition == nil {
				continue // the validator says so
			}
			for at := p.in; at != nil; at = at.in {
				if at.name == f.Name {
					return &tooMuch{invalidInput, fmt.Sprintf("the fragment %q is spread within itself", f.Name)}
				}
			}
			if err := s.directives(definition.Directives); err != nil {
				return err
			}
			s.seen[f.Name] = true
			l.spreads++
			inner = part{definition.SelectionSet, 2 * p.fold, &spread{f.Name, p.in}}
		}
		if err := s.collect(l, inner); err != nil {
			return err
		}
	}
	return nil
}

func (s *shape) directives(list ast.DirectiveList) error {
	if len(list) > maxDirectives {
		return &tooMuch{complex, fmt.Sprintf("it has more than %d directives at one place", maxDirectives)}
	}
	return nil
}

// of returns what a field is merged with.
func (l *level) of(f *ast.Field) *merged {
	const few = 16
	if l.byKey != nil {
		if m := l.byKey[f.Alias]; m != nil {
			return m
		}
	} else {
		for _, m := range l.list {
			if m.key == f.Alias {
				return m
			}
		}
	}
	m := &merged{key: f.Alias, name: f.Name}
	l.list = append(l.list, m)
	switch {
	case l.byKey != nil:
		l.byKey[m.key] = m
	case len(l.list) > few:
		l.byKey = make(map[string]*merged, 2*few)
		for _, m := range l.list {
			l.byKey[m.key] = m
		}
	}
	return m
}
