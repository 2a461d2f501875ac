-- The paper for machines is signed beside those for people.

ALTER TABLE signed_papers
    DROP CONSTRAINT a_paper_has_a_known_form,
    ADD CONSTRAINT a_paper_has_a_known_form CHECK (form IN ('xlsx', 'html', 'csv', 'json'));
