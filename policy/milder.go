package policy

import "slices"

// Milder is what a whole policy asks less of than the governance document, by rule: its
// severities, its numbers, its cases, and what missing evidence does. An overlay has its
// deviations for that, each with a reason, and the document itself nothing.
func (p *Policy) Milder() []Change {
	if p.Base != "" || p.Name == Default && p.File == "" {
		return nil
	}
	document := embedded(Default)
	var all []Change
	for _, id := range ids(document, p) {
		before, inDocument := document.Rules[id]
		after, there := p.Rules[id]
		if inDocument && there {
			all = append(all, settings(id, before, after)...)
		}
	}
	return slices.DeleteFunc(all, func(c Change) bool { return c.Direction != Milder })
}

// milderRules names the rules of Milder, the first of them if there are many.
func (p *Policy) milderRules() []string {
	const most = 10
	var names []string
	for _, c := range p.Milder() {
		if !slices.Contains(names, c.Rule) {
			names = append(names, c.Rule)
		}
	}
	if n := len(names) - most; n > 0 {
		names = append(names[:most], number(n, "more rule"))
	}
	return names
}
