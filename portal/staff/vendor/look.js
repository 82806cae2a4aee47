// The components that the pages have; `make vendor-ui` bundles them without the rest.
export { createAll, Button, ErrorSummary, PasswordInput, Radios, SkipLink } from "nhsuk-frontend";
