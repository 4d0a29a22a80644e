package policy

import "gopkg.in/yaml.v3"

// Lines says where in the YAML of a policy things stand, for messages about a
// policy that could be read: the line of each rule by its id, with "" for where
// they begin, and of each deviation in its order.
func Lines(data []byte) (rules map[string]int, deviations []int) {
	rules = map[string]int{}
	r := &reader{}
	root := r.tree(data)
	if root == nil || root.Kind != yaml.MappingNode {
		return rules, nil
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		switch key.Value {
		case "rules":
			rules[""] = key.Line
			for j := 0; j+1 < len(value.Content); j += 2 {
				rules[value.Content[j].Value] = value.Content[j].Line
			}
		case "deviations":
			for _, item := range value.Content {
				deviations = append(deviations, item.Line)
			}
		}
	}
	return rules, deviations
}
